"""What a Stable Diffusion folder says about its model, read from its JSON files alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from pmg_diffusion.folder import Defaults, DiffusersFolder
from pmg_sdk.errors import ModelFolderError

__all__ = ["DiffusionFolder", "PictureDefaults"]


class PictureDefaults(Defaults):
    """How a model of pictures is best sampled.

    Attributes:
        size: (width, height) in pixels.
        padding: whether it was trained on texts padded to `max_tokens`, padding attended to.
    """

    size: tuple[int, int] | None = None
    padding: bool = False


@dataclass(frozen=True)
class DiffusionFolder(DiffusersFolder):
    """A diffusers folder of Stable Diffusion 1.x, 2.x or XL: one or two text encoders."""

    KIND: ClassVar[str] = "a Stable Diffusion"

    @cached_property
    def defaults(self) -> PictureDefaults:
        """How the model is best sampled."""
        return self._read_defaults(PictureDefaults)

    @property
    def is_xl(self) -> bool:
        """Whether the UNet takes a pooled text vector and time ids, as SDXL's does."""
        return self.unet.get("addition_embed_type") == "text_time"

    @property
    def text_width(self) -> int:
        """Width of the text embeddings that the UNet takes."""
        width = self.unet.get("encoder_hid_dim") or self.unet.get("cross_attention_dim")
        return int(width[0] if isinstance(width, list) else width or 0)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels the model was trained for."""
        if self.defaults.size is not None:
            return self.defaults.size
        sample = self.unet["sample_size"]
        height, width = (sample, sample) if isinstance(sample, int) else sample
        return int(width) * self.downscaling, int(height) * self.downscaling

    @property
    def empty_prompt_is_zeros(self) -> bool:
        """Whether the model was trained with zeros, not the encoding of "", as the empty prompt (SDXL)."""
        return self.is_xl and bool(self.index.get("force_zeros_for_empty_prompt", True))

    def _check(self) -> None:
        super()._check()
        where = self.files.path
        for key in ("sample_size", "cross_attention_dim"):
            if self.unet.get(key) is None:
                raise ModelFolderError(f"{where / 'unet' / 'config.json'} should state {key}")
        kind = self.unet.get("addition_embed_type")
        if kind not in (None, "text_time"):
            raise ModelFolderError(
                f"Stable Diffusion 1.x, 2.x or XL was expected in {where}; got a {kind!r} UNet"
            )
