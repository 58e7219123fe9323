"""Sounds as CLAP hears them: log-mel spectrograms, equal to those of transformers' ClapFeatureExtractor.

The extractor crops what is longer than its window at random, calls one sound of every batch "longer"
at random, and takes one frame after the other. Here the same numbers come without chance, and without torch:

- An unfused model hears windows of its own length; a longer sound is several.
- A fused model hears a longer sound at once, as it was trained: the whole of it shrunk to one window, and
  a window out of its beginning, middle and end. The extractor draws each window from a third of all
  places; here it is the one in the middle of that third. Only such a sound is called longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_clap.shrinking import shrunk
from pmg_sdk.audio import Audio

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClapFeatures"]

FLOOR = 1e-10
"""Of the power of a mel band: -100 dB, which is what silence has everywhere."""

FRAMES = 1024
"""Frames transformed at once, 8 MB."""


@dataclass(frozen=True, eq=False)
class ClapFeatures:
    """How a CLAP model sees sounds.

    Attributes:
        fused: whether the model takes the four views of a fused one.
        rate: samples a second, Hz.
        length: of a window, in samples.
        padding: how a shorter sound fills a window: "repeatpad" (as often as it fits, then zeros),
            "repeat" (and a part of it at the end), "pad" (zeros).
        hop: samples between two frames.
        mel: float64, shape (bins, bands): power spectrum to bands.
    """

    fused: bool
    rate: int
    length: int
    padding: str
    hop: int
    mel: NDArray[np.float64]

    @classmethod
    def like(cls, extractor: Any) -> ClapFeatures:
        """Those of a `ClapFeatureExtractor` of transformers."""
        fused = extractor.truncation == "fusion"
        return cls(
            fused=fused,
            rate=int(extractor.sampling_rate),
            length=int(extractor.nb_max_samples),
            padding=str(extractor.padding),
            hop=int(extractor.hop_length),
            mel=extractor.mel_filters if fused else extractor.mel_filters_slaney,
        )

    @property
    def frames(self) -> int:
        """Of a window."""
        return self.length // self.hop + 1

    @property
    def bands(self) -> int:
        """Of a frame."""
        return int(self.mel.shape[1])

    @property
    def views(self) -> int:
        """Spectrograms that the model takes of a sound, or of a window of it."""
        return 4 if self.fused else 1

    def pieces(self, sound: Audio) -> list[NDArray[np.float32]]:
        """What the model hears one by one, at its rate: windows, or for a fused model the whole.

        Raises:
            MissingExtra: the sound has another rate, and soxr is not installed.
        """
        heard = sound.mono().resampled(self.rate)
        parts = [heard] if self.fused else heard.windows(self.length / self.rate)
        return [part.waveform[0] for part in parts]

    def inputs(self, pieces: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """What the model takes, under the names that transformers has for it.

        Args:
            pieces: waveforms, at least one.

        Returns:
            `input_features`, in dB, shape (pieces, views, frames, bands); and `is_longer`, shape (pieces, 1).
        """
        mels = [self.log_mel(self.filled(piece)) for piece in pieces]
        longer = np.array([[len(mel) > self.frames] for mel in mels])
        return np.stack([self._views(mel) for mel in mels]), longer

    def log_mel(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """In dB, shape (1 + length // hop, bands); Hann windows centred on multiples of `hop`."""
        size = 2 * (len(self.mel) - 1)
        # In float64: beside a loud tone, float32 would round a quiet band by more than its own power.
        padded = np.pad(waveform.astype(np.float64), size // 2, "reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: self.hop]
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
        bands = []
        for start in range(0, len(frames), FRAMES):
            spectrum = np.fft.rfft(frames[start : start + FRAMES] * hann)
            bands.append((np.square(spectrum.real) + np.square(spectrum.imag)) @ self.mel)
        levels: NDArray[np.float64] = 10 * np.log10(np.maximum(np.concatenate(bands), FLOOR))
        return levels.astype(np.float32)

    def filled(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """A window long where it was shorter."""
        missing = self.length - len(waveform)
        if missing <= 0:
            return waveform
        if self.padding in ("repeat", "repeatpad"):
            times = self.length // len(waveform) + (self.padding == "repeat")
            waveform = np.tile(waveform, times)[: self.length]
        return np.pad(waveform, (0, self.length - len(waveform)))

    def _views(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self.fused:
            return mel[None]
        places = np.array_split(np.arange(max(len(mel) - self.frames, 0) + 1), 3)
        starts = [int(third[len(third) // 2]) if len(third) else 0 for third in places]
        whole = shrunk(mel, self.frames)
        return np.stack([whole, *(mel[start : start + self.frames] for start in starts)])
