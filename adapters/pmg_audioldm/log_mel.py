"""Log-mel spectrograms as AudioLDM's autoencoder and vocoder were trained on.

    mel = log max(filters |STFT(x)|, floor)

Equal to `TacotronSTFT.mel_spectrogram` of the authors' package (audioldm 0.1.1, audio/stft.py): Hann windows
centred on multiples of the hop, reflected at the ends; magnitudes, not powers; librosa's filters on Slaney's
scale, of equal area; the natural logarithm. Their settings are in utils.py, `default_audioldm_config`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import torch

__all__ = ["LogMel", "MelSettings"]


class MelSettings(BaseModel):
    """The optional "mel" of the "pmg" object of model_index.json; unknown keys are refused.

    Attributes:
        n_fft, win_length: samples of a transform and of its window; None is `n_fft`.
        hop_length, n_mels: None takes the vocoder's, which no other value would fit.
        fmin, fmax: Hz, lowest and highest of the bands; fmax None is half the sample rate.
        norm: "slaney" makes the filters equal in area.
        mel_scale: "slaney" or "htk".
        floor: least magnitude of a band.
        peak: what the loudest sample of a sound is brought to before; None leaves sounds as loud as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_fft: int = Field(default=1024, ge=16)
    win_length: int | None = Field(default=None, ge=1)
    hop_length: int | None = Field(default=None, ge=1)
    n_mels: int | None = Field(default=None, ge=1)
    fmin: float = Field(default=0.0, ge=0)
    fmax: float | None = Field(default=8000.0, gt=0)
    norm: Literal["slaney"] | None = "slaney"
    mel_scale: Literal["slaney", "htk"] = "slaney"
    floor: float = Field(default=1e-5, gt=0)
    peak: float | None = Field(default=0.5, gt=0, le=1)


@dataclass(frozen=True)
class LogMel:
    """Waveforms to spectrograms.

    Attributes:
        sample_rate: Hz.
        hop: samples between two frames.
        bands: of a frame.
    """

    settings: MelSettings
    sample_rate: int
    hop: int
    bands: int

    def __call__(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Float32 of shape (B, 1 + length // hop, bands), of waveforms (B, length), -1 to 1."""
        import torch

        settings = self.settings
        missing = settings.n_fft // 2 + 1 - waveforms.shape[1]
        if missing > 0:  # there is nothing to reflect beyond the end of a sound
            waveforms = torch.nn.functional.pad(waveforms, (0, missing))
        size = settings.win_length or settings.n_fft
        spectrum = torch.stft(
            waveforms,
            settings.n_fft,
            self.hop,
            size,
            torch.hann_window(size, device=waveforms.device),
            pad_mode="reflect",
            return_complex=True,
        )
        mel = self.filters.to(waveforms.device) @ spectrum.abs()
        return mel.clamp(min=settings.floor).log().transpose(1, 2)

    @property
    def filters(self) -> torch.Tensor:
        """Float32, shape (bands, n_fft // 2 + 1)."""
        import numpy as np
        import torch
        from transformers.audio_utils import mel_filter_bank

        settings = self.settings
        bank = mel_filter_bank(
            num_frequency_bins=settings.n_fft // 2 + 1,
            num_mel_filters=self.bands,
            min_frequency=settings.fmin,
            max_frequency=settings.fmax or self.sample_rate / 2,
            sampling_rate=self.sample_rate,
            norm=settings.norm,
            mel_scale=settings.mel_scale,
        )
        return torch.from_numpy(bank.T.astype(np.float32))
