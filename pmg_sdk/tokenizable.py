"""Any text as a tokenizer can take it, for adapters that must not refuse what users write."""

from __future__ import annotations

__all__ = ["tokenizable"]

CHARACTERS_PER_TOKEN = 32
"""More than this many characters per token of context are cut before tokenising: tokenisers are slow."""


def tokenizable(text: str, *, tokens: int) -> str:
    """At most what `tokens` tokens can hold of it, without the lone surrogates that tokenizers refuse."""
    return text.strip()[: tokens * CHARACTERS_PER_TOKEN].encode("utf-8", "replace").decode("utf-8")
