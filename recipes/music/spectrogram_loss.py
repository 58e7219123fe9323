"""How far made spectrograms are from real ones: values, edges, and how strong edges are."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["LIVELY", "liveliness", "spectrogram_loss"]


LIVELY = 1.5
"""Weight of how strong edges are."""


def spectrogram_loss(made: Tensor, mel: Tensor) -> Tensor:
    """Of log-mel spectrograms (B, 1, frames, bands)."""
    return differences(made, mel) + LIVELY * liveliness(made, mel)


def differences(made: Tensor, mel: Tensor) -> Tensor:
    """L1 of values and of differences in time and frequency at three scales: edges are notes."""
    total = (made - mel).abs().mean()
    for _ in range(3):
        for axis in (2, 3):
            total = total + 0.5 * (made.diff(dim=axis) - mel.diff(dim=axis)).abs().mean()
        made, mel = F.avg_pool2d(made, 2), F.avg_pool2d(mel, 2)
    return total


def liveliness(made: Tensor, mel: Tensor) -> Tensor:
    """How far edges are from being as strong as they were, in every neighbourhood, wherever in it they are.

    What is right on average is blurred: without this the edges come out a third weaker than they were.
    """
    total = made.new_zeros(())
    for _ in range(2):
        for axis in (2, 3):
            ours, real = (F.avg_pool2d(x.diff(dim=axis).abs(), 8, 4) for x in (made, mel))
            total = total + (ours - real).abs().mean()
        made, mel = F.avg_pool2d(made, 2), F.avg_pool2d(mel, 2)
    return total
