"""A long spectrogram as a short one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["shrunk"]


def shrunk(mel: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """`mel`, shape (time, bands), at `frames` times, each between the two that are nearest.

    Equal to torch's bilinear `interpolate` without aligned corners, whose places are float32 too: of a long
    sound they are off by thousandths of a frame, and the model was trained on that.
    """
    half = np.float32(0.5)
    scale = np.float32(len(mel)) / np.float32(frames)
    places = np.maximum(scale * (np.arange(frames, dtype=np.float32) + half) - half, np.float32(0))
    before = np.minimum(places.astype(np.int64), len(mel) - 1)
    after = np.minimum(before + 1, len(mel) - 1)
    share = (places - before.astype(np.float32))[:, None]
    found: NDArray[np.float32] = (1 - share) * mel[before] + share * mel[after]
    return found
