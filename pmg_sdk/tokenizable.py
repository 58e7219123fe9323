"""Any text as a tokenizer can take it, for adapters that must not refuse what users write."""

from __future__ import annotations

__all__ = ["tokenizable", "well_formed"]

CHARACTERS_PER_TOKEN = 32
"""More than this many characters per token of context are cut before tokenising: tokenisers are slow."""


def tokenizable(text: str, *, tokens: int) -> str:
    """At most what `tokens` tokens can hold of it, `well_formed`."""
    return well_formed(text.strip()[: tokens * CHARACTERS_PER_TOKEN])


def well_formed(text: str) -> str:
    """`text` with a question mark for every lone surrogate: tokenizers and UTF-8 refuse those."""
    return text.encode("utf-8", "replace").decode("utf-8")
