"""Log-mel spectrograms as the generator's parts and the dual encoder read them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers.audio_utils import mel_filter_bank

from recipes.music.render import RATE

__all__ = ["FLOOR", "HOP", "MELS", "ClapFeatures", "LogMel"]

N_FFT, WINDOW, HOP, MELS = 2048, 1280, 256, 128
FLOOR = 2e-3
"""Of magnitudes: 8 % lie below, and the judge hears no difference without them."""

CLAP_RATE, CLAP_SECONDS, CLAP_FFT, CLAP_HOP, CLAP_MELS = RATE, 4, 1024, 256, 64
CLAP_HIGHEST = 8000


def filters(n_fft: int, mels: int, highest: float) -> Tensor:
    """Slaney's triangles, float32 (n_fft // 2 + 1, mels)."""
    bank = mel_filter_bank(
        num_frequency_bins=n_fft // 2 + 1,
        num_mel_filters=mels,
        min_frequency=0,
        max_frequency=highest,
        sampling_rate=RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(bank).float()


class LogMel(nn.Module):
    """Waveforms (B, length) to log(max(mel, FLOOR)) of magnitudes, (B, length / HOP, MELS).

    The finer of what an 80 ms window can tell apart: notes must come out in tune.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bank", filters(N_FFT, MELS, RATE / 2), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveform, N_FFT, HOP, WINDOW, self.window, center=True, pad_mode="reflect", return_complex=True
        )
        magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()
        frames = waveform.shape[-1] // HOP
        mel = magnitude[..., :frames].transpose(1, 2) @ self.bank
        return mel.clamp_min(FLOOR).log()


class ClapFeatures(nn.Module):
    """Waveforms to what `ClapFeatureExtractor` makes of their first CLAP_SECONDS: dB, (B, 1, frames, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bank", filters(CLAP_FFT, CLAP_MELS, CLAP_HIGHEST), persistent=False)
        self.register_buffer("window", torch.hann_window(CLAP_FFT), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveform[:, : CLAP_SECONDS * CLAP_RATE],
            CLAP_FFT,
            CLAP_HOP,
            CLAP_FFT,
            self.window,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()
        mel = power.transpose(1, 2) @ self.bank
        return (10 * mel.clamp_min(1e-10).log10())[:, None]
