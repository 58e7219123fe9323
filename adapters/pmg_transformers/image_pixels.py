"""Images as a transformers model takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pmg_sdk.media import Media, expect_image
from pmg_transformers.media_reader import MediaModel

if TYPE_CHECKING:
    import torch

__all__ = ["image_pixels"]


def image_pixels(reader: MediaModel, media: Sequence[Media], name: str) -> torch.Tensor:
    """The pixels of every image as the folder's processor makes them, on the model's device.

    Raises:
        CapabilityError: a medium is no image; `name` is that of what cannot read it.
    """
    pictures = [expect_image(medium, name).to_pil() for medium in media]
    pixels: torch.Tensor = reader.processor.image_processor(pictures, return_tensors="pt").pixel_values
    return pixels.to(reader.device, reader.model.dtype)
