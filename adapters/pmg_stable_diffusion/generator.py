"""M = Generator(w_p * E^p, w_t * E^t) with Stable Diffusion (paper, section 3.4)."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_diffusion.generator import DiffusionGenerator
from pmg_diffusion.options import Options
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.interfaces import GeneratorSpec, TextEncoder
from pmg_stable_diffusion.diffusion_folder import DiffusionFolder
from pmg_transformers.clip_pair import CLIPPairTextEncoder
from pmg_transformers.text_encoder import TransformersTextEncoder

if TYPE_CHECKING:
    import torch

    from pmg_sdk.progress import Observer
    from pmg_stable_diffusion.model import StableDiffusionModel

__all__ = ["StableDiffusionGenerator"]


class StableDiffusionGenerator(DiffusionGenerator):
    """Images from any diffusers folder of Stable Diffusion 1.x, 2.x, XL, or the embedded emoji model.

    What is None is taken from the model folder (see `PictureDefaults`). Nothing is loaded before the
    first use or `load`. The same request gives the same picture, alone or in a batch, but for rounding.
    One generator serves one call at a time.

    Args:
        model, device, dtype, batch_size: see `Options`.
        steps, guidance, guidance_interval, guidance_rescale, scheduler, text_encoder: see `Options`.
        size: (width, height) in pixels.
        clip_skip: last layers of the CLIP text encoder to leave out.
        padding: encode texts padded to the longest length, as Stable Diffusion was trained.
    """

    def __init__(
        self,
        *,
        model: str = "pmg:emoji-diffusion",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        guidance_interval: tuple[float, float] | None = None,
        guidance_rescale: float | None = None,
        size: tuple[int, int] | None = None,
        scheduler: str | None = None,
        clip_skip: int = 0,
        padding: bool | None = None,
        text_encoder: TextEncoder | None = None,
    ) -> None:
        super().__init__(
            Options(
                model,
                device,
                dtype,
                batch_size,
                steps,
                guidance,
                guidance_interval,
                guidance_rescale,
                scheduler,
                text_encoder,
            )
        )
        self._size = size
        self._clip_skip = clip_skip
        self._padding = padding

    @cached_property
    def spec(self) -> GeneratorSpec:
        """What this generator is, read from configuration files and a few bytes of the text encoder's."""
        folder, options, defaults = self._folder, self._options, self._folder.defaults
        width, height = self._size or folder.size
        multiple = folder.downscaling
        if width < multiple or height < multiple or width % multiple or height % multiple:
            raise ConfigError(
                f"width and height are multiples of {multiple} for this model; got {width}x{height}"
            )
        return GeneratorSpec(
            modality="image",
            conditioning="sequence",
            space=self._own_encoder.space,
            negative=True,
            unconditional="zeros" if folder.empty_prompt_is_zeros else "empty text",
            steps=defaults.steps if options.steps is None else options.steps,
            guidance=defaults.guidance if options.guidance is None else options.guidance,
            size=(width, height),
        )

    def _completed(self, conditioning: Conditioning, text: str | None) -> Conditioning:
        """With a pooled vector where the UNet wants one: of the text, else of the empty prompt."""
        if not self._folder.is_xl or conditioning.pooled is not None:
            return conditioning
        of_text = self._empty_prompt if text is None else self.text_encoder.encode([text])[0]
        return dataclasses.replace(conditioning, pooled=of_text.pooled)

    @cached_property
    def _empty_prompt(self) -> Conditioning:
        (empty,) = self.text_encoder.encode([""])
        if not self._folder.empty_prompt_is_zeros:
            return empty
        # Keys and values of zero tokens are equal, so one of them says as much as any number.
        pooled = None if empty.pooled is None else np.zeros_like(empty.pooled)
        return Conditioning(np.zeros_like(empty.embeds[:1]), empty.space, pooled)

    @cached_property
    def _folder(self) -> DiffusionFolder:
        return DiffusionFolder.locate(self.model)

    @cached_property
    def _own_encoder(self) -> TransformersTextEncoder | CLIPPairTextEncoder:
        folder = self._folder
        path = str(folder.files.path)
        options: dict[str, Any] = {
            "clip_skip": self._clip_skip,
            "padding": folder.defaults.padding if self._padding is None else self._padding,
            "max_tokens": folder.defaults.max_tokens,
            "device": self._options.device,
        }
        encoder = (
            CLIPPairTextEncoder(path, **options)
            if folder.is_xl
            else TransformersTextEncoder(path, subfolder="text_encoder", **options)
        )
        if encoder.width != folder.text_width:
            raise ModelFolderError(
                f"the UNet in {path} takes text embeddings of width {folder.text_width}; "
                f"the text encoder beside it gives {encoder.width}"
            )
        return encoder

    def _load_model(self, device: torch.device, observer: Observer) -> StableDiffusionModel:
        from pmg_stable_diffusion.model import StableDiffusionModel

        return StableDiffusionModel.load(
            self._folder, device, self._options.dtype, observer, size=self.spec.size
        )
