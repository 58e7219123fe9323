"""Resizing pictures as torchvision does with integers, to the last bit.

Pillow's arithmetic is finer, and one pixel in three hundred comes out one level apart. That is more than
scores of an exported model may differ by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KERNELS", "resized"]

MOST_BITS = 22
BITS = 15


def resized(
    pixels: NDArray[np.uint8], size: tuple[int, int], kernel: str, window: tuple[slice, slice]
) -> NDArray[np.uint8]:
    """The part `window` of `pixels` (height, width, 3) after they were resized to `size`, antialiased.

    Args:
        size: (height, width).
        kernel: a name out of `KERNELS`.
        window: rows and columns of the result; inside it.
    """
    rows, columns = window
    values = _along(pixels.astype(np.float64), size[1], kernel, columns, "hwc,ow->hoc")
    return _along(values, size[0], kernel, rows, "hwc,oh->owc").astype(np.uint8)


def _along(values: NDArray[np.float64], size: int, kernel: str, part: slice, how: str) -> NDArray[np.float64]:
    axis = 1 if how.startswith("hwc,ow") else 0
    length = values.shape[axis]
    if length == size:
        return values[:, part] if axis else values[part]
    weights, bits = _weights(length, size, kernel, part)
    # All are integers below 2^53, so the sums are exact.
    sums = np.einsum(how, values, weights, optimize=True)
    found: NDArray[np.float64] = np.clip(np.floor((sums + (1 << (bits - 1))) / (1 << bits)), 0, 255)
    return found


def _weights(length: int, size: int, kernel: str, part: slice) -> tuple[NDArray[np.float64], int]:
    """Integer weights of shape (places in `part`, length), and how many of their bits stand for fractions."""
    shape, reach = KERNELS[kernel]
    scale = length / size
    support, inverse = reach * max(scale, 1.0), 1 / max(scale, 1.0)
    places = range(*part.indices(size))
    weights = np.zeros((len(places), length))
    most = 0.0
    for place in range(size):
        centre = scale * (place + 0.5)
        first, last = max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), length)
        found = shape((np.arange(first, last, dtype=np.float64) - centre + 0.5) * inverse)
        found /= found.sum()
        most = max(most, float(found.max()))
        if place in places:
            weights[place - places.start, first:last] = found
    bits = next((b for b in range(MOST_BITS) if int(0.5 + most * (1 << (b + 1))) >= 1 << BITS), MOST_BITS)
    scaled = weights * (1 << bits)
    return np.where(weights < 0, np.ceil(scaled - 0.5), np.floor(scaled + 0.5)), bits


def _bicubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x, a = np.abs(x), -0.5
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, (((x - 5) * x + 8) * x - 4) * a
    found: NDArray[np.float64] = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    return found


def _bilinear(x: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.maximum(1 - np.abs(x), 0.0)
    return found


KERNELS: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], int]] = {
    "bicubic": (_bicubic, 2),
    "bilinear": (_bilinear, 1),
}
"""By name: the function, and how far it reaches."""
