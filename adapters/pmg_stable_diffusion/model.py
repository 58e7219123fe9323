"""UNet and autoencoder of Stable Diffusion: what the UNet is told, and between latents and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_diffusion.latent_scale import scaled, unscaled
from pmg_diffusion.model import DiffusionModel
from pmg_diffusion.text_batch import TextBatch
from pmg_diffusion.weights import load_unet_and_vae
from pmg_sdk.accelerator import in_batches
from pmg_sdk.errors import GenerationError
from pmg_sdk.media import Image, as_pixels, expect_image

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.media import Media
    from pmg_sdk.progress import Observer
    from pmg_stable_diffusion.diffusion_folder import DiffusionFolder

__all__ = ["StableDiffusionModel"]

PIXELS_PER_DECODE = 2**20
"""The autoencoder works at full resolution: about 1 GB of activations for this many pixels."""

PICTURES_PER_ENCODE = 64


@dataclass(frozen=True, eq=False)
class StableDiffusionModel(DiffusionModel):
    """The two networks that make the picture.

    Attributes:
        size: (width, height) in pixels.
        downscaling: pixels along one side of a latent position.
    """

    unet: Any
    vae: Any
    size: tuple[int, int]
    downscaling: int

    @classmethod
    def load(
        cls,
        folder: DiffusionFolder,
        device: torch.device,
        dtype: str,
        observer: Observer,
        *,
        size: tuple[int, int] | None = None,
    ) -> StableDiffusionModel:
        """Load both, see `load_unet_and_vae`; `size` None is what the model was trained for."""
        import diffusers

        unet, vae = load_unet_and_vae(folder, device, dtype, observer, unet=diffusers.UNet2DConditionModel)
        return cls(unet, vae, size or folder.size, folder.downscaling)

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(C, h, w) of one picture's latent."""
        width, height = self.size
        return self.unet.config.in_channels, height // self.downscaling, width // self.downscaling

    def predict(self, x: torch.Tensor, t: torch.Tensor, text: TextBatch) -> torch.Tensor:
        """eps(x, t, c) in float32: the tokens, and for SDXL the pooled vector and facts of the picture."""
        eps: torch.Tensor = self.unet(
            x.to(self.unet.dtype),
            t,
            encoder_hidden_states=text.embeds,
            encoder_attention_mask=text.mask,
            added_cond_kwargs=self._picture_facts(text),
            return_dict=False,
        )[0]
        return eps.float()

    def encode(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        """x_0 of every picture, brought to the model's size."""
        pictures = [expect_image(medium, "Stable Diffusion") for medium in media]
        return in_batches(pictures, self._encode, limit=PICTURES_PER_ENCODE)

    def decode(self, latents: Sequence[torch.Tensor]) -> list[Image]:
        """Pictures of latents of shape (C, h, w)."""
        width, height = self.size
        limit = max(1, PIXELS_PER_DECODE // (width * height))
        return in_batches(latents, self._decode, limit=limit)

    def _picture_facts(self, text: TextBatch) -> dict[str, torch.Tensor] | None:
        """SDXL's micro-conditioning: original size, crop corner, target size, each as (height, width)."""
        if text.pooled is None:
            return None
        width, height = self.size
        facts: torch.Tensor = text.pooled.new_tensor([height, width, 0, 0, height, width])
        return {"text_embeds": text.pooled, "time_ids": facts.repeat(len(text.pooled), 1)}

    def _encode(self, pictures: Sequence[Image]) -> list[NDArray[np.float32]]:
        import PIL.Image
        import torch

        resized = [
            np.asarray(picture.to_pil().resize(self.size, PIL.Image.Resampling.LANCZOS))
            if picture.size != self.size
            else picture.pixels
            for picture in pictures
        ]
        pixels = torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2).to(self.device)
        mean = self.vae.encode(pixels.to(self.vae.dtype) / 127.5 - 1).latent_dist.mean.float()
        return list(scaled(self.vae.config, mean).cpu().numpy())

    def _decode(self, latents: Sequence[torch.Tensor]) -> list[Image]:
        import torch

        z = unscaled(self.vae.config, torch.stack(list(latents)))
        pictures = self.vae.decode(z.to(self.vae.dtype), return_dict=False)[0].float()
        if not pictures.isfinite().all():
            raise GenerationError(
                "numbers were expected in every pixel; the autoencoder gave others. "
                'Try dtype="float32" or "bfloat16".'
            )
        unit = (pictures / 2 + 0.5).clamp(0, 1)
        return [Image(as_pixels(picture)) for picture in unit.permute(0, 2, 3, 1).cpu().numpy()]
