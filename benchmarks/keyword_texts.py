"""Keyword texts of one length, each another."""

from __future__ import annotations

__all__ = ["texts"]

_WORDS = (
    "cat",
    "dog",
    "rocket",
    "pizza",
    "guitar",
    "tulip",
    "heart",
    "robot",
    "house",
    "river",
    "mountain",
    "violin",
)


def texts(count: int, words: int) -> list[str]:
    """`count` texts of `words` words."""
    return [
        ", ".join(_WORDS[(start + step) % len(_WORDS)] for step in range(words)) for start in range(count)
    ]
