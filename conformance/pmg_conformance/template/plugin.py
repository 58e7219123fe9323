"""What this package brings. Read whenever adapters are listed: import nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk import AdapterSpec, hookimpl

__all__ = ["pmg_adapters"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """One adapter; more are more specs."""
    return (
        AdapterSpec(
            name="my-adapter",
            role="generator",
            factory="my_adapter.generator:MyAdapter",
            modality="image",
            # Optional abilities it has: "loading", "preview", "training", "choice", "exact",
            # "threads".
            capabilities=frozenset(),
            description="One line for `pmg adapters`",
        ),
    )
