"""The judge: names instrument, genre, mood and tempo of a clip; made for measuring, ships with no package.

It hears through features of its own, was trained on renderings of its own, and had no part in training
or choosing what it judges.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from recipes.music.mel import filters
from recipes.music.pieces import ATTRIBUTES, VALUES

__all__ = ["Judge", "Recogniser"]

_FFT, _HOP, _MELS, _HIGHEST = 1024, 200, 80, 7600
_WIDTHS = (16, 32, 64, 96)


class _Block(nn.Module):
    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(after), nn.BatchNorm2d(after)])
        self.skip = nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.norms[0](self.first(x)))
        return F.silu(self.norms[1](self.second(y)) + self.skip(x))


class Recogniser(nn.Module):
    """Waveforms (B, length at 16 kHz) to logits by attribute; `features` gives (B, 256) for distances."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bank", filters(_FFT, _MELS, _HIGHEST), persistent=False)
        self.register_buffer("window", torch.hann_window(_FFT), persistent=False)
        widths = (1, *_WIDTHS)
        strides = ((2, 2), (2, 2), (2, 2), (1, 2))
        self.blocks = nn.Sequential(
            *(
                _Block(before, after, stride)
                for before, after, stride in zip(widths, widths[1:], strides, strict=False)
            )
        )
        wide = _WIDTHS[-1]
        self.gather = nn.Conv1d(wide * _MELS // 16, 160, 1)
        # Beats are told apart over seconds.
        self.times = nn.ModuleList([nn.Conv1d(160, 160, 5, padding=2 * d, dilation=d) for d in (1, 2, 4)])
        self.join = nn.Linear(2 * 160, 256)
        self.heads = nn.ModuleDict({name: nn.Linear(256, len(VALUES[name])) for name in ATTRIBUTES})

    def log_mel(self, waveform: Tensor) -> Tensor:
        """Log powers (B, frames, mels)."""
        spectrum = torch.stft(waveform, _FFT, _HOP, _FFT, self.window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return (power.transpose(1, 2) @ self.bank).clamp_min(1e-8).log()

    @staticmethod
    def normalised(log_mel: Tensor) -> Tensor:
        """(B, 1, frames, mels), of mean 0 and deviation 1 a clip: loudness says nothing."""
        mean, deviation = log_mel.mean((1, 2), keepdim=True), log_mel.std((1, 2), keepdim=True)
        return ((log_mel - mean) / (deviation + 1e-4))[:, None]

    def spectrogram(self, waveform: Tensor) -> Tensor:
        """What it looks at, (B, 1, frames, mels)."""
        return self.normalised(self.log_mel(waveform))

    def features(self, spectrogram: Tensor) -> Tensor:
        """(B, 256)."""
        x = self.blocks(spectrogram)
        x = F.silu(self.gather(x.permute(0, 1, 3, 2).flatten(1, 2)))
        for layer in self.times:
            x = x + F.silu(layer(x))
        return F.silu(self.join(torch.cat([x.mean(2), x.amax(2)], 1)))

    def forward(self, spectrogram: Tensor) -> dict[str, Tensor]:
        features = F.dropout(self.features(spectrogram), 0.2, self.training)
        return {name: head(features) for name, head in self.heads.items()}


class Judge:
    """A trained recogniser, asked about clips.

    Args:
        weights: `recogniser.safetensors`.
    """

    def __init__(self, weights: Path, device: torch.device | str = "cpu", batch: int = 128) -> None:
        model = Recogniser()
        model.load_state_dict(
            {name: value.float() for name, value in load_file(weights).items()}, strict=False
        )
        self.model, self.device, self.batch = model.eval().to(device), torch.device(device), batch

    @torch.no_grad()
    def hear(self, waveforms: Tensor | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places in `VALUES`, int64 (n, 4) by `ATTRIBUTES`, and features, float32 (n, 256)."""
        best, features = [], []
        for part in torch.as_tensor(waveforms).split(self.batch):
            found = self.model.features(self.model.spectrogram(part.float().to(self.device)))
            features.append(found.cpu().numpy())
            logits = {name: head(found) for name, head in self.model.heads.items()}
            best.append(torch.stack([logits[name].argmax(1) for name in ATTRIBUTES], 1).cpu().numpy())
        return np.concatenate(best), np.concatenate(features)

    def accuracy(self, waveforms: Tensor | np.ndarray, wanted: np.ndarray) -> dict[str, float]:
        """Share of clips whose attribute it names as `wanted`, int64 (n, 4), does."""
        best, _ = self.hear(waveforms)
        return dict(zip(ATTRIBUTES, (best == wanted).mean(0).round(4).tolist(), strict=True))
