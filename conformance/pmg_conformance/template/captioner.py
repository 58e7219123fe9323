"""A captioner: media to one short line each, which a language model will read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pmg_sdk import Captioner, Media

__all__ = ["MyAdapter"]

_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (220, 30, 30),
    "green": (30, 180, 30),
    "blue": (30, 30, 220),
    "yellow": (240, 220, 40),
}


class MyAdapter(Captioner):
    """Says which colour a picture mostly has."""

    modality: ClassVar[str] = "image"

    def caption(self, media: Sequence[Media]) -> list[str]:
        return [f"a {_nearest(medium)} picture" for medium in media]


def _nearest(medium: Media) -> str:
    mean = medium.picture().pixels.reshape(-1, 3).mean(axis=0)
    return min(_COLOURS, key=lambda name: float(np.linalg.norm(mean - _COLOURS[name])))
