"""Names the main colour of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pmg_sdk.interfaces import Captioner
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer, Silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    """One word: the colour nearest to the mean of the pixels. Its weights are six colours."""

    modality: ClassVar[str] = "image"

    def __init__(self) -> None:
        self._weights: NDArray[np.float32] | None = None

    def load(self, observer: Observer | None = None) -> None:
        if self._weights is None:
            (observer or Silent()).start("load", 1)
            self._weights = np.array(list(_COLOURS.values()), dtype=np.float32)
            (observer or Silent()).advance("load")

    def caption(self, media: Sequence[Media]) -> list[str]:
        self.load()
        return [self._nearest(medium.picture().pixels.mean(axis=(0, 1))) for medium in media]

    def _nearest(self, colour: NDArray[np.float32]) -> str:
        assert self._weights is not None
        return list(_COLOURS)[int(np.linalg.norm(self._weights - colour, axis=1).argmin())]
