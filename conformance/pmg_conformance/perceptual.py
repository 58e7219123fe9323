"""How different two pictures look, from afar: what another device or library may change is not seen there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pmg_sdk.media import Image

__all__ = ["SIDE", "delta_e", "thumbnail"]

SIDE = 16
"""Of a thumbnail, in pixels."""

_XYZ = np.array([(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)])
_WHITE = _XYZ.sum(axis=1)


def thumbnail(image: Image) -> NDArray[np.uint8]:
    """The mean colours of 16 x 16 parts of an image of any size, uint8 of shape (16, 16, 3)."""
    import PIL.Image

    return np.asarray(image.to_pil().resize((SIDE, SIDE), PIL.Image.Resampling.BOX), dtype=np.uint8)


def delta_e(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean CIE 1976 difference of two sRGB pictures: 2.3 is just noticeable, 100 black to white."""
    return float(np.linalg.norm(_lab(one) - _lab(other), axis=-1).mean())


def _lab(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIELAB of sRGB (IEC 61966-2-1) under its own white."""
    c = pixels / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    t = linear @ _XYZ.T / _WHITE
    d = 6 / 29
    x, y, z = np.moveaxis(np.where(t > d**3, np.cbrt(t), t / (3 * d**2) + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
