"""Latents at unit variance, as the diffusion has them, and as the autoencoder gives and takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["scaled", "unscaled"]


def scaled(config: Any, z: torch.Tensor) -> torch.Tensor:
    """Latents at unit variance, of what the autoencoder gives."""
    shift, factor = _normaliser(config, z)
    latents: torch.Tensor = (z - shift) * factor
    return latents


def unscaled(config: Any, latents: torch.Tensor) -> torch.Tensor:
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
