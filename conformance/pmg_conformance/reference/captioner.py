"""Names the main colour of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pmg_sdk.interfaces import Captioner
from pmg_sdk.media import Media

__all__ = ["ReferenceCaptioner"]

_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (220, 30, 30),
    "green": (30, 180, 30),
    "blue": (30, 30, 220),
    "yellow": (240, 220, 40),
}


class ReferenceCaptioner(Captioner):
    """One word: the colour nearest to the mean of the pixels."""

    modality: ClassVar[str] = "image"

    def caption(self, media: Sequence[Media]) -> list[str]:
        names, colours = list(_COLOURS), np.array(list(_COLOURS.values()), dtype=np.float32)
        means = [medium.picture().pixels.reshape(-1, 3).mean(axis=0) for medium in media]
        return [names[int(np.linalg.norm(colours - mean, axis=1).argmin())] for mean in means]
