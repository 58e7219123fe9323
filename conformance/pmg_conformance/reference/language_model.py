"""Answers with the words it knows, out of what it was asked last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pmg_conformance.reference.world import words
from pmg_sdk.interfaces import Chat, LanguageModel

__all__ = ["VOCABULARY", "ReferenceLanguageModel"]

VOCABULARY = (
    *("red", "green", "blue", "yellow", "black", "white"),
    *("cat", "dog", "frog", "robot", "flower", "rocket"),
    *("happy", "sad", "angry", "sleepy", "cool"),
    *("minimal", "ornate", "pixelated", "watercolour"),
)


class ReferenceLanguageModel(LanguageModel):
    """Reads the last user turn and answers its known words, the most frequent first.

    Args:
        vocabulary: the words it knows.
        most: how many it answers with.
    """

    def __init__(self, *, vocabulary: Sequence[str] = VOCABULARY, most: int = 4) -> None:
        self._vocabulary = frozenset(vocabulary)
        self._most = most

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        return [self._answer(chat[-1]["content"]) for chat in prompts]

    def _answer(self, asked: str) -> str:
        known = Counter(word for word in words(asked) if word in self._vocabulary)
        return ", ".join(word for word, _ in known.most_common(self._most))
