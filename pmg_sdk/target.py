"""What is asked for: one target or several, as keywords k^t (paper, section 3.2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from pmg_sdk.keywords import Keywords

__all__ = ["Target"]


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
