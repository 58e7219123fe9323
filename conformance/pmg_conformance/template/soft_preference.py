"""A soft preference encoder: what somebody did to the tokens E_m, which stand before the keywords."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_sdk import Conditioning, SoftPreferenceEncoder

__all__ = ["MyAdapter"]


class MyAdapter(SoftPreferenceEncoder):
    """The mean direction of a prompt's words, as L equal tokens.

    Args:
        length: L, the number of tokens.
    """

    def __init__(self, *, length: int = 4) -> None:
        self._length = length

    @property
    def space(self) -> str:
        """State the space of the generator's text encoder here: E_m and E_k are joined."""
        return "my-adapter"

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return [Conditioning(np.tile(_mean(prompt), (self._length, 1)), self.space) for prompt in prompts]


def _mean(prompt: str) -> NDArray[np.float32]:
    """Float32, shape (16,); by hashlib, as Python's own hash of text changes with the process."""
    rows = []
    for word in re.findall(r"\w+", prompt.lower()) or [""]:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        rows.append(np.random.default_rng(seed).standard_normal(16, dtype=np.float32))
    return np.asarray(np.mean(rows, axis=0), np.float32)
