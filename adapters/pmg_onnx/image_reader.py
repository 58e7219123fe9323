"""Pictures to rows, by an exported image tower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pmg_onnx.graph import Graph
from pmg_onnx.picture import as_input
from pmg_onnx.record import Pixels
from pmg_sdk.accelerator import in_batches
from pmg_sdk.media import Media, expect_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ImageReader"]


@dataclass(frozen=True, eq=False)
class ImageReader:
    """An open graph, and how pictures are prepared for it."""

    graph: Graph
    pixels: Pixels

    def embed(self, media: Sequence[Media], *, limit: int) -> list[NDArray[np.float32]]:
        """A unit row for every picture, at most `limit` at once.

        Raises:
            CapabilityError: a medium is no image.
        """

        def rows(batch: Sequence[Media]) -> list[NDArray[np.float32]]:
            pictures = [expect_image(medium, "an exported scorer of images").to_pil() for medium in batch]
            pixels = np.stack([as_input(picture, self.pixels) for picture in pictures])
            return list(self.graph({"pixels": pixels})["pooled"])

        return in_batches(media, rows, limit=limit)
