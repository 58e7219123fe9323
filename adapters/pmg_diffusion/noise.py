"""Noise by seed, drawn on the CPU: a seed means the same on all devices."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["draw_noise", "noise_generator", "noises"]


def noise_generator(seed: int) -> torch.Generator:
    """The CPU generator of one candidate's noise.

    torch keeps the low 32 bits of a seed and drops the rest; a larger seed is hashed into them, so that 0
    and 2**32 are two noises.
    """
    import torch

    if seed >= 2**32:
        seed = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:4], "big")
    return torch.Generator().manual_seed(seed)


def draw_noise(shape: Sequence[int], generators: Sequence[torch.Generator]) -> torch.Tensor:
    """Float32 noise of `shape` for every generator, on the CPU."""
    import torch

    return torch.stack([torch.randn(tuple(shape), generator=generator) for generator in generators])


def noises(
    seeds: Sequence[int], shape: Sequence[int], draws: int, levels: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Timesteps (n * draws,) and noises (n * draws, *shape) of n seeds, on the CPU.

    Noise levels are stratified: draw k of n is uniform in the k-th n-th of the schedule's `levels`.
    """
    import torch

    steps, drawn = [], []
    for seed in seeds:
        generator = noise_generator(seed)
        place = (torch.arange(draws) + torch.rand(draws, generator=generator)) / draws
        steps.append((place * levels).long().clamp(max=levels - 1))
        drawn.append(torch.randn(draws, *shape, generator=generator))
    return torch.cat(steps), torch.cat(drawn)
