"""A scorer: text and media as points of one space; the core takes the cosine between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from pmg_sdk import Media, Scorer

__all__ = ["MyAdapter"]


class MyAdapter(Scorer):
    """Compares the colours that a text names with the mean colour of a picture."""

    modality: ClassVar[str] = "image"

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return _rows([_named(text) for text in texts])

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return _rows([medium.picture().pixels.reshape(-1, 3).mean(axis=0) for medium in media])


def _named(text: str) -> NDArray[np.float64]:
    """The mean of the colours a text names, grey where it names none."""
    words = [word for word in re.findall(r"\w+", text.lower()) if word in ImageColor.colormap]
    colours = [ImageColor.getrgb(word)[:3] for word in words] or [(128, 128, 128)]
    return np.asarray(np.mean(colours, axis=0), np.float64)


def _rows(colours: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Float32, shape (len(colours), 4); the last column keeps grey from having no length."""
    rows = np.array(colours, np.float32).reshape(-1, 3) / 127.5 - 1
    return np.column_stack([rows, np.full(len(rows), 0.1, np.float32)])
