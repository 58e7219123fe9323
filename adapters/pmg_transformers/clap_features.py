"""Sounds as CLAP hears them: log-mel spectrograms, equal to those of transformers' ClapFeatureExtractor.

The extractor crops what is longer than its window at random, calls one sound of every batch "longer"
at random, and takes one frame after the other. Here the same numbers come without chance:

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

from pmg_sdk.audio import Audio
from pmg_sdk.errors import ModelFolderError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_transformers.media_reader import MediaModel

__all__ = ["ClapFeatures"]

FLOOR = 1e-10
"""Of the power of a mel band: -100 dB, which is what silence has everywhere."""

FRAMES = 1024
"""Frames transformed at once, 8 MB."""


@dataclass(frozen=True)
class ClapFeatures:
    """What a CLAP folder says about how sounds are seen.

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
    def of(cls, clap: MediaModel) -> ClapFeatures:
        """From the folder's preprocessor_config.json and config.json.

        Raises:
            ModelFolderError: the two contradict each other.
        """
        extractor: Any = clap.processor.feature_extractor
        fused = bool(clap.model.config.audio_config.enable_fusion)
        if fused != (extractor.truncation == "fusion"):
            raise ModelFolderError(
                f"truncation {'fusion' if fused else 'rand_trunc'!r} was expected in the preprocessor "
                f"configuration of {clap.folder}, as enable_fusion is {fused} in its config.json; "
                f"got {extractor.truncation!r}. Download it again, or name another model."
            )
        return cls.like(extractor)

    @classmethod
    def like(cls, extractor: Any) -> ClapFeatures:
        """Those of a `ClapFeatureExtractor`."""
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

    def pieces(self, sound: Audio) -> list[NDArray[np.float32]]:
        """What the model hears one by one, at its rate: windows, or for a fused model the whole."""
        heard = sound.mono().resampled(self.rate)
        parts = [heard] if self.fused else heard.windows(self.length / self.rate)
        return [part.waveform[0] for part in parts]

    def inputs(self, pieces: Sequence[NDArray[np.float32]]) -> dict[str, torch.Tensor]:
        """`input_features`, float32 in dB, shape (pieces, views, frames, bands), and which are longer."""
        import torch

        mels = [self.log_mel(self.filled(piece)) for piece in pieces]
        return {
            "input_features": torch.stack([self._views(mel) for mel in mels]),
            "is_longer": torch.tensor([[len(mel) > self.frames] for mel in mels]),
        }

    def log_mel(self, waveform: NDArray[np.float32]) -> torch.Tensor:
        """Float32 in dB, shape (1 + length // hop, bands); Hann windows centred on multiples of `hop`."""
        import torch

        size = 2 * (len(self.mel) - 1)
        edge = size // 2
        # In float64: beside a loud tone, float32 would round a quiet band by more than its own power.
        padded = torch.nn.functional.pad(torch.from_numpy(waveform).double()[None], (edge, edge), "reflect")
        frames = padded[0].unfold(0, size, self.hop)
        hann, mel = torch.hann_window(size, dtype=torch.float64), torch.from_numpy(self.mel)
        bands = []
        for some in torch.split(frames, FRAMES):
            spectrum = torch.fft.rfft(some * hann)
            bands.append((spectrum.real.square() + spectrum.imag.square()) @ mel)
        return 10 * torch.log10(torch.cat(bands).clamp(min=FLOOR)).float()

    def filled(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32, a window long where it was shorter."""
        missing = self.length - len(waveform)
        if missing <= 0:
            return waveform
        if self.padding in ("repeat", "repeatpad"):
            times = self.length // len(waveform) + (self.padding == "repeat")
            waveform = np.tile(waveform, times)[: self.length]
        return np.pad(waveform, (0, self.length - len(waveform)))

    def _views(self, mel: torch.Tensor) -> torch.Tensor:
        import torch

        if not self.fused:
            return mel[None]
        places = np.array_split(np.arange(max(len(mel) - self.frames, 0) + 1), 3)
        starts = [int(third[len(third) // 2]) if len(third) else 0 for third in places]
        whole = torch.nn.functional.interpolate(
            mel[None, None], size=(self.frames, mel.shape[1]), mode="bilinear", align_corners=False
        )[0, 0]
        return torch.stack([whole, *(mel[start : start + self.frames] for start in starts)])
