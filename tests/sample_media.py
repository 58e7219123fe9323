"""Media to give to what is tested: pictures of noise, and a sound for those that only see."""

from __future__ import annotations

import numpy as np

from pmg_sdk.media import Image, Media

__all__ = ["Sound", "pictures"]


def pictures(count: int, size: tuple[int, int] = (64, 48), seed: int = 0) -> list[Image]:
    """Different images of `size` (width, height); equal calls give equal ones."""
    random = np.random.default_rng(seed)
    return [Image(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)) for _ in range(count)]


class Sound(Media):
    """A medium that is no image."""

    modality = "audio"
    suffix = ".wav"

    def to_bytes(self) -> bytes:
        return b""

    def picture(self) -> Image:
        return pictures(1)[0]
