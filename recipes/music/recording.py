"""What a recording may do to a piece, done to its spectrogram: cheap enough for every step of a training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["noise_floor", "spoilt"]


def noise_floor(bank: Tensor, window: Tensor) -> Tensor:
    """Log power (bands,) that white noise of deviation 1 has on average, through filters and a window."""
    return (bank.sum(0) * window.square().sum()).clamp_min(1e-12).log()


def spoilt(log_power: Tensor, floor: Tensor, latest: int = 32) -> Tensor:
    """With another spectrum, some noise and a start that is not the first beat.

    Args:
        log_power: natural logarithms, (B, frames, bands).
        floor: of `noise_floor`.
        latest: frames that the start moves at most; what is cut off there follows at the end.
    """
    count, _, bands = log_power.shape
    device = log_power.device
    knots = torch.randn(count, 1, 10, device=device) * 0.8
    tilt = F.interpolate(knots, size=bands, mode="linear", align_corners=True)
    level = torch.empty(count, 1, 1, device=device).uniform_(-9.0, -4.0) * 2.302585
    moved = log_power.roll(-int(torch.randint(0, latest, ())), dims=1)
    return torch.logaddexp(moved + tilt, floor + level)
