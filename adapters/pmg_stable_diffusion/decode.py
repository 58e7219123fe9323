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
    """Latents at unit variance, of what the autoencoder gives."""
    shift, factor = _normaliser(config, z)
    latents: torch.Tensor = (z - shift) * factor
    return latents


def _unscaled(config: Any, latents: torch.Tensor) -> torch.Tensor:
    """What the autoencoder takes, of latents at unit variance."""
    shift, factor = _normaliser(config, latents)
    z: torch.Tensor = latents / factor + shift
    return z


def _normaliser(config: Any, like: torch.Tensor) -> tuple[Any, Any]:
    """Shift and factor to unit variance: by channel where the model states its statistics."""
    mean, deviation = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    if mean is None or deviation is None:
        return getattr(config, "shift_factor", None) or 0.0, config.scaling_factor
    shift, spread = (like.new_tensor(values).view(1, -1, 1, 1) for values in (mean, deviation))
    return shift, config.scaling_factor / spread
