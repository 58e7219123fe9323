"""What is asked for: one target or several, as keywords k^t (paper, section 3.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pmg_sdk.behavior import Item
from pmg_sdk.errors import InputError
from pmg_sdk.keywords import Keywords

__all__ = ["Target", "items_of"]


@dataclass(frozen=True)
class Target:
    """The thing asked for; computed once, it can be used for many users.

    Attributes:
        keywords: k^t.
        descriptions: x^t, one short text for every item; empty when it was read back from a result.
        warnings: what went differently than asked, without any of the caller's text.
    """

    keywords: Keywords
    descriptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def items_of(target: str | Item | Sequence[str | Item]) -> list[Item]:
    """One target or several, each as an item.

    Raises:
        InputError: there is no text and no media in any of them.
    """
    entries = [target] if isinstance(target, str | Item) else list(target)
    items = [Item(text=entry) if isinstance(entry, str) else entry for entry in entries]
    if not any(item.text.strip() or item.media for item in items):
        raise InputError("a target with text or media was expected; got none. Say what is to be shown.")
    return items
