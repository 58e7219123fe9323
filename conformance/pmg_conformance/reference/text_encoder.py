"""Every word is a token."""

from __future__ import annotations

from collections.abc import Sequence

from pmg_conformance.reference.world import SPACE, meaning, words
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import TextEncoder

__all__ = ["ReferenceTextEncoder"]


class ReferenceTextEncoder(TextEncoder):
    """One token for each word; the pooled vector is their mean."""

    def __init__(self, *, max_tokens: int = 24, space: str = SPACE) -> None:
        self._max_tokens = max_tokens
        self._space = space

    @property
    def space(self) -> str:
        return self._space

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [max(1, len(words(text))) for text in texts]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        vectors = [meaning(text)[: self._max_tokens] for text in texts]
        return [Conditioning(rows, self._space, rows.mean(axis=0)) for rows in vectors]
