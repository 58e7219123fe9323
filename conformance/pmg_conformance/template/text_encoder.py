"""A text encoder: keywords to the tokens that condition a generator."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_sdk import Conditioning, TextEncoder

__all__ = ["MyAdapter"]


class MyAdapter(TextEncoder):
    """A token for every word, a direction that its hash decides."""

    @property
    def space(self) -> str:
        return "my-adapter"

    @property
    def max_tokens(self) -> int:
        return 32

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_words(text)) for text in texts]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        words = [_words(text)[: self.max_tokens] for text in texts]
        return [Conditioning(np.stack([_direction(word) for word in each]), self.space) for each in words]


def _words(text: str) -> list[str]:
    """Lower-case words of any script; the empty text is one word."""
    return re.findall(r"\w+", text.lower()) or [""]


def _direction(word: str) -> NDArray[np.float32]:
    """Float32, shape (16,); by hashlib, as Python's own hash of text changes with the process."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(16, dtype=np.float32)
