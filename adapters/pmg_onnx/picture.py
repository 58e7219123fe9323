"""Pictures as an image tower reads them, with Pillow and numpy: what torchvision's transforms do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pmg_onnx.record import Pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PILImage

__all__ = ["as_input"]


def as_input(picture: PILImage, how: Pixels) -> NDArray[np.float32]:
    """One RGB picture as float32 of shape (3, height, width)."""
    picture = _resized(picture, how)
    if how.crop is not None:
        picture = _middle(picture, how.crop, how)
    values = np.asarray(picture, dtype=np.float32) / np.float32(255)
    normal = (values - np.array(how.mean, np.float32)) / np.array(how.std, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def _resized(picture: PILImage, how: Pixels) -> PILImage:
    import PIL.Image

    width, height = picture.size
    wanted_height, wanted_width = how.size
    if how.resize == "none":
        return picture
    if how.resize == "exact":
        size = (wanted_height, wanted_width)
    elif how.resize == "shortest":
        short, long = sorted((height, width))
        longer = int(wanted_height * long / short)
        size = (wanted_height, longer) if height <= width else (longer, wanted_height)
    else:
        ratios = (height / wanted_height, width / wanted_width)
        ratio = max(ratios) if how.resize == "inside" else min(ratios)
        size = (max(round(height / ratio), 1), max(round(width / ratio), 1))
    if size == (height, width):
        return picture
    return picture.resize((size[1], size[0]), PIL.Image.Resampling[how.resample.upper()])


def _middle(picture: PILImage, crop: tuple[int, int], how: Pixels) -> PILImage:
    import PIL.Image

    width, height = picture.size
    crop_height, crop_width = crop
    if crop_height > height or crop_width > width:
        larger = (max(width, crop_width), max(height, crop_height))
        ground = PIL.Image.new("RGB", larger, (how.fill,) * 3)
        ground.paste(picture, ((larger[0] - width) // 2, (larger[1] - height) // 2))
        picture, (width, height) = ground, larger
    place = round if how.rounding == "even" else int
    top, left = place((height - crop_height) / 2), place((width - crop_width) / 2)
    return picture.crop((left, top, left + crop_width, top + crop_height))
