"""A vocoder that is no network: phases found by Griffin and Lim's method.

Spectra whose bands have the wanted magnitudes are found first (multiplicative updates of a least-squares fit,
Lee and Seung 2001), then phases that overlapping windows agree on (Griffin and Lim 1984, with the momentum of
Perraudin et al. 2013). A small vocoder without much training makes noise of tones; this keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pmg_audioldm.log_mel import LogMel

if TYPE_CHECKING:
    import torch

__all__ = ["GriffinLim"]

FITS = 30
"""Updates that fit spectra to bands; more change nothing that is heard."""
MOMENTUM = 0.99


@dataclass(frozen=True)
class GriffinLim:
    """Spectrograms to waveforms, the inverse of a `LogMel`.

    What it starts from is the same for every sound, so a sound is the same in every batch.

    Attributes:
        log_mel: what the spectrograms were made by.
        iterations: of the search for phases.
    """

    NAME: ClassVar[str] = "GriffinLim"
    """What `_class_name` in vocoder/config.json says."""

    log_mel: LogMel
    iterations: int = 32

    @property
    def dtype(self) -> torch.dtype:
        """Of the spectrograms it takes."""
        import torch

        return torch.float32

    def __call__(self, spectrograms: torch.Tensor) -> torch.Tensor:
        """Waveforms, float32 (B, frames * hop), of `LogMel`'s spectrograms (B, frames, bands)."""
        import torch

        settings, hop = self.log_mel.settings, self.log_mel.hop
        size = settings.win_length or settings.n_fft
        window = torch.hann_window(size, device=spectrograms.device)
        length = spectrograms.shape[1] * hop
        # One frame more, so that the last samples lie under whole windows.
        log_mel = torch.cat([spectrograms, spectrograms[:, -1:]], 1)
        magnitudes = self._magnitudes(log_mel.exp()).transpose(1, 2)
        phases = torch.rand(magnitudes.shape[1:], generator=torch.Generator().manual_seed(0)) * 2 * torch.pi
        turns = torch.polar(torch.ones_like(phases), phases).to(magnitudes.device).expand_as(magnitudes)
        before = torch.zeros_like(turns)
        for _ in range(self.iterations):
            waveforms = torch.istft(magnitudes * turns, settings.n_fft, hop, size, window, length=length)
            heard = torch.stft(
                waveforms, settings.n_fft, hop, size, window, pad_mode="reflect", return_complex=True
            )
            ahead = heard - before * (MOMENTUM / (1 + MOMENTUM))
            turns, before = ahead / ahead.abs().clamp(min=1e-16), heard
        return torch.istft(magnitudes * turns, settings.n_fft, hop, size, window, length=length)

    def _magnitudes(self, mel: torch.Tensor) -> torch.Tensor:
        """(B, frames, n_fft // 2 + 1), not negative, whose bands are `mel`, (B, frames, bands)."""
        import torch

        filters = self.log_mel.filters.to(mel.device)  # (bands, n_fft // 2 + 1)
        wanted = mel @ filters
        found: torch.Tensor = (mel @ torch.linalg.pinv(filters).T).clamp(min=1e-6)
        for _ in range(FITS):
            found = found * wanted / (found @ filters.T @ filters).clamp(min=1e-9)
        return found
