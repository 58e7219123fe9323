"""What `pmg new-adapter` writes: one small adapter for every role, and the package around it.

These are real modules, checked and typed like all others; writing a package replaces their names
(`my-adapter`, `my_adapter`, `MyAdapter`) and leaves the rest as it stands.
"""
