"""Words as flowers, the space that bouquets are conditioned in."""

from __future__ import annotations

import colorsys
import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from pmg_sdk import Conditioning, TextEncoder

__all__ = ["SPACE", "FlowerEncoder"]

SPACE = "bouquet-1"


class FlowerEncoder(TextEncoder):
    """A token for every word: colour (3), petal waves (4), and 1, which carries the weight.

    A word that names a colour has it; the others get theirs, like their petals, from a stable hash.
    """

    space = SPACE
    max_tokens = 32

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_words(text)) for text in texts]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        return [
            Conditioning(np.stack([_flower(word) for word in _words(text)[: self.max_tokens]]), SPACE)
            for text in texts
        ]


def _words(text: str) -> list[str]:
    """Lower-case words of any script; the empty text is one word, the grey one without petals."""
    return re.findall(r"\w+", text.lower()) or [""]


def _flower(word: str) -> NDArray[np.float32]:
    digest = np.frombuffer(hashlib.sha256(word.encode()).digest(), np.uint8) / 255
    if not word:
        return np.array([0] * 7 + [1], np.float32)
    if word in ImageColor.colormap:
        colour = np.array(ImageColor.getrgb(word)) / 255
    else:
        colour = np.array(colorsys.hls_to_rgb(digest[0], 0.4 + 0.3 * digest[1], 0.7))
    return np.concatenate([0.8 * (colour - 0.5), 0.5 * digest[2:6] - 0.1, [1]]).astype(np.float32)
