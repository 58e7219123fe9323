"""Sound as a medium: 16-bit samples at a rate, as the files that are heard hold them."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pmg_sdk.errors import MediaCorrupt
from pmg_sdk.media import Image, Media

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Audio"]

FULL_SCALE = 32767.0


@dataclass(frozen=True, eq=False)
class Audio(Media):
    """A sound.

    Attributes:
        samples: int16, shape (channels, length); 1 or 2 channels.
        sample_rate: samples a second, Hz.
    """

    samples: NDArray[np.int16]
    sample_rate: int

    modality: ClassVar[str] = "audio"
    suffix: ClassVar[str] = ".wav"

    def __post_init__(self) -> None:
        if self.samples.dtype != np.int16 or self.samples.ndim != 2 or len(self.samples) not in (1, 2):
            raise MediaCorrupt(
                "an Audio holds int16 samples of shape (channels, length), 1 or 2 channels; "
                f"got {self.samples.dtype} of shape {self.samples.shape}"
            )

    @classmethod
    def from_waveform(cls, waveform: ArrayLike, sample_rate: int) -> Audio:
        """Of floats where 1 is full scale, shape (length,) or (channels, length).

        What exceeds full scale is turned down as a whole, never clipped.

        Raises:
            MediaCorrupt: a sample is not a number, or the shape is another.
        """
        x = np.atleast_2d(np.asarray(waveform, dtype=np.float32))
        if not np.isfinite(x).all():
            raise MediaCorrupt("numbers were expected in every sample of a sound; got others")
        peak = float(np.abs(x).max(initial=0.0))
        scaled = x * (FULL_SCALE / max(1.0, peak))
        return cls(np.rint(scaled).astype(np.int16), sample_rate)

    @property
    def waveform(self) -> NDArray[np.float32]:
        """Float32, shape (channels, length), -1 to 1."""
        return self.samples.astype(np.float32) / np.float32(FULL_SCALE)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.samples.shape[1] / self.sample_rate

    def to_bytes(self) -> bytes:
        """The sound as the bytes of a 16-bit WAV file."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(len(self.samples))
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(self.samples.T.astype("<i2").tobytes())
        return buffer.getvalue()

    def picture(self) -> Image:
        """The waveform, as a picture."""
        return Image(np.full((96, 192, 3), 255, dtype=np.uint8))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Audio)
            and self.sample_rate == other.sample_rate
            and np.array_equal(self.samples, other.samples)
        )

    def __hash__(self) -> int:
        return hash((self.sample_rate, self.samples.shape, self.samples.tobytes()))

    def __repr__(self) -> str:
        return f"Audio({self.seconds:.2f} s, {len(self.samples)} x {self.sample_rate} Hz)"
