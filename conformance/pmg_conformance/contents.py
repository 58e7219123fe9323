"""Media as the conformance suite compares them: to the last bit, and as eyes and ears do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pmg_sdk.audio import Audio
from pmg_sdk.media import Image, Media
from pmg_sdk.spectrogram import FLOOR, mel_levels

__all__ = ["contents", "perceived"]

_BANDS = 64
_COLUMNS = 20
"""A second."""
_MOST_COLUMNS = 400


def contents(medium: Media) -> bytes:
    """Every bit of a medium; of a picture its pixels, as versions of zlib pack PNG differently."""
    return medium.pixels.tobytes() if isinstance(medium, Image) else medium.to_bytes()


def perceived(medium: Media) -> NDArray[np.float64]:
    """What is seen or heard, 0 to 255, equal in shape where the media are equal in size.

    Returns:
        Of a picture its pixels, shape (height, width, 3). Of a sound how loud 64 bands are, 0 for -80 dBFS
        and 255 for 0 dBFS, shape (bands, columns, channels): rounding and phase are not heard. Of others
        the pixels of their picture.
    """
    if not isinstance(medium, Audio):
        return medium.picture().pixels.astype(np.float64)
    columns = int(np.clip(round(medium.seconds * _COLUMNS), 1, _MOST_COLUMNS))
    levels = [
        mel_levels(channel[None], medium.sample_rate, bands=_BANDS, columns=columns)
        for channel in medium.waveform
    ]
    return np.asarray(np.stack(levels, axis=-1) / -FLOOR * 255 + 255, dtype=np.float64)
