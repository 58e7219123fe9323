"""How long a sound is: in samples, in frames of its mel spectrogram, in latent positions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SoundForm"]


@dataclass(frozen=True)
class SoundForm:
    """The sounds that one model makes.

    Attributes:
        sample_rate: of the vocoder, Hz.
        hop: samples the vocoder makes of one frame.
        bands: of a frame.
        downscaling: frames, and bands, along one side of a latent position.
        samples: of a finished sound.
    """

    sample_rate: int
    hop: int
    bands: int
    downscaling: int
    samples: int

    @property
    def frames(self) -> int:
        """Frames that cover all samples and fill whole latent positions; what is beyond is cut off."""
        position = self.hop * self.downscaling
        return -(-self.samples // position) * self.downscaling

    @property
    def latent_size(self) -> tuple[int, int]:
        """(positions in time, positions in pitch)."""
        return self.frames // self.downscaling, self.bands // self.downscaling
