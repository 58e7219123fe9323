"""Media to give to what is tested: pictures of noise, and a sound for those that only see."""

from __future__ import annotations

import numpy as np

from pmg_sdk.audio import Audio
from pmg_sdk.media import Image

__all__ = ["pictures", "sound"]


def pictures(count: int, size: tuple[int, int] = (64, 48), seed: int = 0) -> list[Image]:
    """Different images of `size` (width, height); equal calls give equal ones."""
    random = np.random.default_rng(seed)
    return [Image(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)) for _ in range(count)]


def sound() -> Audio:
    """A second of a tone."""
    return Audio.from_waveform(0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000), 16_000)
