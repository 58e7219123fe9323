"""Sees in a picture the point it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.reference.world import WIDTH, meaning, seen
from pmg_sdk.interfaces import Scorer
from pmg_sdk.media import Media

__all__ = ["ReferenceScorer", "rows"]


class ReferenceScorer(Scorer):
    """A dual encoder of the toy world."""

    modality: ClassVar[str] = "image"

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return rows([meaning(text).mean(axis=0) for text in texts])

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return rows([seen(medium.picture().pixels) for medium in media])


def rows(points: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """One row for every point, shape (len(points), 8)."""
    return np.array(points, dtype=np.float32).reshape(-1, WIDTH)  # (0, WIDTH) of nothing
