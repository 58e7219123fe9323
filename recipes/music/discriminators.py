"""What a vocoder learns against: sounds seen as rows of a period, and as spectrograms.

Periods as in HiFi-GAN (arXiv 2010.05646), spectrograms of several resolutions as in UnivNet
(arXiv 2106.07889), both narrower than there.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

__all__ = ["Discriminators"]

Judged = tuple[Tensor, list[Tensor]]
"""Scores, and the features before them."""


class _Layers(nn.Module):
    def __init__(self, widths: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int]) -> None:
        super().__init__()
        pad = (kernel[0] // 2, kernel[1] // 2)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, kernel, stride if k < len(widths) - 2 else 1, pad))
            for k, (before, after) in enumerate(pairwise(widths))
        )
        self.last = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> Judged:
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            features.append(x)
        return self.last(x), features


class _Period(nn.Module):
    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        self.layers = _Layers((1, 16, 64, 160, 256, 256), (5, 1), (3, 1))

    def forward(self, x: Tensor) -> Judged:
        x = F.pad(x, (0, -x.shape[1] % self.period), "reflect")
        return self.layers(x.view(len(x), 1, -1, self.period))


class _Resolution(nn.Module):
    def __init__(self, n_fft: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.layers = _Layers((1, 32, 32, 48, 64, 64), (3, 9), (1, 2))

    def forward(self, x: Tensor) -> Judged:
        spectrum = torch.stft(x, self.n_fft, self.n_fft // 4, window=self.window, return_complex=True)
        magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-7).sqrt()
        return self.layers(magnitude.transpose(1, 2)[:, None].pow(0.5))


class Discriminators(nn.Module):
    """All of them on waveforms (B, length)."""

    def __init__(self) -> None:
        super().__init__()
        self.all = nn.ModuleList(
            [*(_Period(period) for period in (2, 3, 5, 7, 11)), *(_Resolution(n) for n in (512, 1024, 2048))]
        )

    def forward(self, x: Tensor) -> list[Judged]:
        return [one(x) for one in self.all]
