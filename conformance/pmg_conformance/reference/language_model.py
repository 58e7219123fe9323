"""Answers with the words it knows, out of what it was asked last."""

from __future__ import annotations

import math
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

_UNSAID = 0.01
"""How often a word that was not said counts as said: little, and more than never."""


class ReferenceLanguageModel(LanguageModel):
    """Reads the last user turn and answers its known words, the most frequent first; a word is a token.

    Args:
        vocabulary: the words it knows.
        most: how many it answers with.
    """

    def __init__(self, *, vocabulary: Sequence[str] = VOCABULARY, most: int = 4) -> None:
        self._vocabulary = frozenset(vocabulary)
        self._most = most

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        longest = min(self._most, max_tokens)
        return [", ".join(word for word, _ in self._known(chat).most_common(longest)) for chat in prompts]

    def count_tokens(self, text: str) -> int:
        return len(words(text))

    def choose(self, prompts: Sequence[Chat], options: Sequence[str]) -> list[list[float]]:
        asked = [Counter(words(chat[-1]["content"])) for chat in prompts]
        return [[_likelihood(option, counts) for option in options] for counts in asked]

    def _known(self, chat: Chat) -> Counter[str]:
        return Counter(word for word in words(chat[-1]["content"]) if word in self._vocabulary)


def _likelihood(option: str, asked: Counter[str]) -> float:
    """log P: the sum over its words, each the likelier the more often it was said."""
    return sum(math.log(asked[word] + _UNSAID) for word in words(option))
