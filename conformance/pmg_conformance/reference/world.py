"""The toy world: words as directions, pictures as points."""

from __future__ import annotations

import hashlib
import itertools
import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCKS", "SPACE", "WIDTH", "drawn", "meaning", "seen", "word_vector", "words"]

SPACE = "reference"
WIDTH = 8
BLOCKS = 4
_CANVAS: NDArray[np.float32] = np.linalg.qr(
    np.random.default_rng(7).standard_normal((BLOCKS * BLOCKS * 3, WIDTH))
)[0].astype(np.float32)
_CONTRAST = 100.0


def words(text: str) -> list[str]:
    """Lower-case words of any script."""
    return re.findall(r"\w+", text.lower())


def word_vector(word: str) -> NDArray[np.float32]:
    """The direction of a word, float32 of shape (8,), length 1."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(WIDTH)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def meaning(text: str) -> NDArray[np.float32]:
    """Word vectors of a text, shape (words, 8); the empty text has one vector of its own."""
    return np.stack([word_vector(word) for word in words(text) or [""]])


def drawn(point: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A square picture that shows `point`, float32 of shape (side, side, 3) around 128."""
    blocks = 128 + _CONTRAST * (_CANVAS @ point).reshape(BLOCKS, BLOCKS, 3)
    large = np.kron(blocks, np.ones((side // BLOCKS, side // BLOCKS, 1), dtype=np.float32))
    return np.asarray(large, dtype=np.float32)


def seen(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The point a picture of any size shows: the inverse of `drawn` up to noise."""
    rows, columns = (_quarters(size) for size in pixels.shape[:2])
    blocks = np.array([[pixels[r, c].mean(axis=(0, 1)) for c in columns] for r in rows])
    return np.asarray(((blocks - 128) / _CONTRAST).reshape(-1) @ _CANVAS, dtype=np.float32)


def _quarters(size: int) -> list[slice]:
    """Four parts of a side, none empty; they overlap where there are fewer than four pixels."""
    starts = [part * size // BLOCKS for part in range(BLOCKS + 1)]
    return [slice(start, max(start + 1, end)) for start, end in itertools.pairwise(starts)]
