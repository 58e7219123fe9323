"""Pictures as an image tower reads them, with Pillow and numpy: what torchvision's transforms do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pmg_onnx.record import Pixels
from pmg_onnx.resample import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PILImage

__all__ = ["as_input"]


def as_input(picture: PILImage, how: Pixels) -> NDArray[np.float32]:
    """One RGB picture as float32 of shape (3, height, width)."""
    size = _size(picture, how)
    window = (slice(None), slice(None)) if how.crop is None else _window(size, how.crop, how)
    pixels = _padded(_resized(picture, size, window, how), size, how)
    values = pixels.astype(np.float32) / np.float32(255)
    normal = (values - np.array(how.mean, np.float32)) / np.array(how.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def _size(picture: PILImage, how: Pixels) -> tuple[int, int]:
    """(height, width) after resizing."""
    width, height = picture.size
    wanted_height, wanted_width = how.size
    if how.resize == "none":
        return height, width
    if how.resize == "exact":
        return wanted_height, wanted_width
    if how.resize == "shortest":
        short, long = sorted((height, width))
        longer = int(wanted_height * long / short)
        return (wanted_height, longer) if height <= width else (longer, wanted_height)
    ratios = (height / wanted_height, width / wanted_width)
    ratio = max(ratios) if how.resize == "inside" else min(ratios)
    return max(round(height / ratio), 1), max(round(width / ratio), 1)


def _window(size: tuple[int, int], crop: tuple[int, int], how: Pixels) -> tuple[slice, slice]:
    """The middle of a picture, as much of it as there is."""
    place = round if how.rounding == "even" else int
    starts = [max(place((have - want) / 2), 0) for have, want in zip(size, crop, strict=True)]
    rows, columns = (
        slice(start, start + min(have, want)) for start, have, want in zip(starts, size, crop, strict=True)
    )
    return rows, columns


def _resized(
    picture: PILImage, size: tuple[int, int], window: tuple[slice, slice], how: Pixels
) -> NDArray[np.uint8]:
    import PIL.Image

    height, width = size
    if (width, height) != picture.size and how.kernel == "torchvision":
        return resized(np.asarray(picture), size, how.resample, window)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), PIL.Image.Resampling[how.resample.upper()])
    return np.asarray(picture)[window]


def _padded(pixels: NDArray[np.uint8], size: tuple[int, int], how: Pixels) -> NDArray[np.uint8]:
    """Filled up to the crop, the picture in the middle."""
    height, width = how.crop or size
    missing = [max(want - have, 0) for want, have in zip((height, width), pixels.shape, strict=False)]
    if not any(missing):
        return pixels
    sides = [(each // 2, each - each // 2) for each in missing]
    return np.pad(pixels, (*sides, (0, 0)), constant_values=how.fill)
