"""Between latents and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import GenerationError
from pmg_sdk.media import Image, as_pixels

if TYPE_CHECKING:
    import torch

__all__ = ["decode", "scaled"]


def decode(vae: Any, latents: torch.Tensor) -> list[Image]:
    """Decode latents of shape (B, C, h, w) as one batch.

    Raises:
        GenerationError: the autoencoder gave values that are not numbers.
    """
    z = _unscaled(vae.config, latents)
    pictures = vae.decode(z.to(vae.dtype), return_dict=False)[0].float()
    if not pictures.isfinite().all():
        raise GenerationError(
            "numbers were expected in every pixel; the autoencoder gave others. "
            'Try dtype="float32" or "bfloat16".'
        )
    unit = (pictures / 2 + 0.5).clamp(0, 1)
    return [Image(as_pixels(picture)) for picture in unit.permute(0, 2, 3, 1).cpu().numpy()]


def scaled(config: Any, z: torch.Tensor) -> torch.Tensor:
    """Latents at unit variance: the inverse of what `decode` begins with."""
    mean, deviation = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    latents: torch.Tensor
    if mean is not None and deviation is not None:
        scale = (z.new_tensor(deviation) / config.scaling_factor).view(1, -1, 1, 1)
        latents = (z - z.new_tensor(mean).view(1, -1, 1, 1)) / scale
    else:
        latents = (z - (getattr(config, "shift_factor", None) or 0.0)) * config.scaling_factor
    return latents


def _unscaled(config: Any, latents: torch.Tensor) -> torch.Tensor:
    """Back from unit variance: by per-channel mean and deviation where the model states them."""
    z: torch.Tensor
    mean, deviation = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    if mean is not None and deviation is not None:
        scale = (latents.new_tensor(deviation) / config.scaling_factor).view(1, -1, 1, 1)
        z = latents * scale + latents.new_tensor(mean).view(1, -1, 1, 1)
    else:
        z = latents / config.scaling_factor + (getattr(config, "shift_factor", None) or 0.0)
    return z
