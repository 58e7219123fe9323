"""Sound as a medium: 16-bit samples at a rate, as the files that are heard hold them.

Reading and writing files is `sound_file.py`, what a sound looks like is `spectrogram.py`.
"""

from __future__ import annotations

import io
import math
import wave
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pmg_sdk.errors import InputError, MediaCorrupt, MediaUnsupported, MissingExtra
from pmg_sdk.media import Image, Media, expect
from pmg_sdk.storage import write_bytes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["RATES", "SILENCE", "Audio", "expect_audio"]

FULL_SCALE = 32767.0
RATES = (8_000, 192_000)
"""Lowest and highest sample rate, Hz: telephone and studio."""
SILENCE = -60.0
"""dBFS; a sound that never rises above it is silence to a listener."""


@dataclass(frozen=True, eq=False)
class Audio(Media):
    """A sound.

    Attributes:
        samples: int16, shape (channels, length); 1 or 2 channels, at least one sample.
        sample_rate: samples a second, 8,000 to 192,000 Hz.

    Raises:
        MediaCorrupt: the samples are of another type or shape.
        MediaUnsupported: the rate lies outside that range.
    """

    samples: NDArray[np.int16]
    sample_rate: int

    modality: ClassVar[str] = "audio"
    suffix: ClassVar[str] = ".wav"
    mime: ClassVar[str] = "audio/wav"

    def __post_init__(self) -> None:
        shape = self.samples.shape
        if self.samples.dtype != np.int16 or len(shape) != 2 or shape[0] not in (1, 2) or shape[1] == 0:
            raise MediaCorrupt(
                "an Audio holds int16 samples of shape (channels, length), 1 or 2 channels and at least one "
                f"sample; got {self.samples.dtype} of shape {shape}"
            )
        check_rate(self.sample_rate)

    @classmethod
    def from_waveform(cls, waveform: ArrayLike, sample_rate: int) -> Audio:
        """Of floats where 1 is full scale, shape (length,) or (channels, length).

        What exceeds full scale is turned down as a whole, never clipped.

        Raises:
            MediaCorrupt: a sample is not a number, or the shape is another.
        """
        x = np.atleast_2d(np.asarray(waveform, dtype=np.float32))
        if not np.isfinite(x).all():
            raise MediaCorrupt("numbers were expected in every sample of a sound; got NaN or infinity")
        peak = float(np.abs(x).max(initial=0.0))
        scaled = x * np.float32(FULL_SCALE / max(1.0, peak))
        return cls(np.rint(scaled).astype(np.int16), sample_rate)

    @classmethod
    def open(
        cls,
        source: str | Path | bytes,
        *,
        start: float = 0.0,
        seconds: float | None = None,
        max_seconds: float | None = None,
        max_bytes: int | None = None,
    ) -> Audio:
        """Decode a WAV, FLAC, Ogg (Vorbis, Opus) or MP3 file, or a part of one.

        Samples of 16 bits are taken as they are, others are rounded to 16 bits. Floats beyond full scale
        are turned down as a whole. The mean of 3 to 8 channels is taken, as one. Rate and stereo stay.

        Args:
            start, seconds: the part to read; by default all of it. It ends with the file.
            max_seconds: of what is read; 1,200 by default.
            max_bytes: of the file; 512 MiB by default.

        Raises:
            MediaTooLarge: the file or the part is larger, found in the header before decoding.
            MediaUnsupported: more than 8 channels, or a rate outside 8,000 to 192,000 Hz.
            MediaCorrupt: the file is missing, damaged, without a sample, or not one of these formats;
                or a sample is not a number.
            InputError: `start` or `seconds` is negative, or the file ends before `start`.
            MissingExtra: soundfile is not installed.
        """
        from pmg_sdk.sound_file import MAX_FILE_BYTES, MAX_SECONDS, read_sound

        samples, sample_rate = read_sound(
            source,
            start=start,
            seconds=seconds,
            max_seconds=MAX_SECONDS if max_seconds is None else max_seconds,
            max_bytes=MAX_FILE_BYTES if max_bytes is None else max_bytes,
        )
        if samples.dtype == np.int16:
            return cls(np.asarray(samples, dtype=np.int16), sample_rate)
        return cls.from_waveform(samples, sample_rate)

    @property
    def waveform(self) -> NDArray[np.float32]:
        """Float32, shape (channels, length), -1 to 1."""
        return np.maximum(self.samples / np.float32(FULL_SCALE), np.float32(-1), dtype=np.float32)

    @property
    def channels(self) -> int:
        """1 or 2."""
        return len(self.samples)

    @property
    def length(self) -> int:
        """Samples a channel, at least 1."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.length / self.sample_rate

    @property
    def peak(self) -> float:
        """Its loudest sample in dBFS: 0 is full scale, -inf where all are zero."""
        return _decibels(float(np.abs(self.waveform).max()))

    @property
    def loudness(self) -> float:
        """Root mean square over all samples and channels in dBFS: -3.01 for a full sine, -inf for zeros."""
        return _decibels(math.sqrt(float(np.square(self.waveform, dtype=np.float64).mean())))

    @property
    def is_silent(self) -> bool:
        """Whether no sample rises above -60 dBFS."""
        return self.peak <= SILENCE

    def mono(self) -> Audio:
        """The mean of its channels; a sound of one channel is itself."""
        if self.channels == 1:
            return self
        return Audio.from_waveform(self.waveform.mean(axis=0), self.sample_rate)

    def resampled(self, sample_rate: int) -> Audio:
        """At another rate, of length round(length * rate ratio), at least 1; equal input gives equal output.

        Where the filter rises above full scale, the whole is turned down.

        Raises:
            MediaUnsupported: the rate lies outside 8,000 to 192,000 Hz.
            MissingExtra: soxr is not installed.
        """
        check_rate(sample_rate)
        if sample_rate == self.sample_rate:
            return self
        try:
            import soxr
        except ImportError as error:
            raise MissingExtra("resampling needs soxr: pip install 'pmg-sdk[audio]'") from error
        x = np.asarray(soxr.resample(self.waveform.T, self.sample_rate, sample_rate), dtype=np.float32).T
        length = max(1, round(self.length * sample_rate / self.sample_rate))
        x = np.pad(x, ((0, 0), (0, max(0, length - x.shape[1]))))[:, :length]
        return Audio.from_waveform(x, sample_rate)

    def window(self, start: float, seconds: float) -> Audio:
        """The part from second `start` on, `seconds` long or up to the end.

        Raises:
            InputError: the part holds no sample.
        """
        begin, length = round(start * self.sample_rate), round(seconds * self.sample_rate)
        if begin < 0 or length < 1 or begin >= self.length:
            raise InputError(
                f"a part of a sound of {self.seconds:g} s was expected; got {seconds:g} s from {start:g} s on"
            )
        return Audio(self.samples[:, begin : begin + length], self.sample_rate)

    def windows(self, seconds: float) -> list[Audio]:
        """Equally long parts that cover the whole: one after another, the last one up to the end.

        The last two overlap where the length is no multiple. A sound that is not longer than
        `seconds` is its own only window.

        Raises:
            InputError: `seconds` is shorter than a sample.
        """
        length = round(seconds * self.sample_rate)
        if length < 1:
            raise InputError(f"windows of at least a sample were expected; got {seconds:g} s")
        if self.length <= length:
            return [self]
        starts = [*range(0, self.length - length, length), self.length - length]
        return [Audio(self.samples[:, start : start + length], self.sample_rate) for start in starts]

    def to_bytes(self) -> bytes:
        """The sound as the bytes of a 16-bit WAV file."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(self.channels)
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(self.samples.T.astype("<i2").tobytes())
        return buffer.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write a .wav or .flac (16 bits, lossless) or .ogg (Vorbis) file, whole or not at all.

        Raises:
            MediaUnsupported: another ending.
            MissingExtra: soundfile is not installed, and the file is no WAV.
            StorageError: the file cannot be written.
        """
        from pmg_sdk.sound_file import encoded

        ending = Path(path).suffix.lower()
        wav = ending == self.suffix
        return write_bytes(
            Path(path), self.to_bytes() if wav else encoded(self.samples, self.sample_rate, ending)
        )

    def picture(self, size: tuple[int, int] = (384, 384)) -> Image:
        """The waveform above a spectrogram of mel bands, low ones at the bottom; time goes to the right.

        Args:
            size: (width, height) in pixels, at least 16 x 16.
        """
        from pmg_sdk.spectrogram import sound_picture

        return Image(sound_picture(self.waveform, self.sample_rate, size))

    def element(self, label: str, *, small: bool = False) -> str:
        """A player below the picture, as HTML that needs no other file."""
        picture = self.picture((384, 192) if small else (768, 384))
        said = escape(label)
        return (
            f'<img alt="{said}" src="{picture.data_uri()}">'
            f'<audio controls preload="metadata" aria-label="{said}" src="{self.data_uri()}"></audio>'
        )

    def _repr_html_(self) -> str:
        return self.element(repr(self))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Audio)
            and self.sample_rate == other.sample_rate
            and np.array_equal(self.samples, other.samples)
        )

    def __hash__(self) -> int:
        return hash((self.sample_rate, self.samples.shape, self.samples.tobytes()))

    def __repr__(self) -> str:
        return f"Audio({self.seconds:.2f} s, {self.channels} x {self.sample_rate} Hz)"


def expect_audio(medium: Media, reader: str) -> Audio:
    """`expect`, of a sound."""
    return expect(medium, Audio, reader)


def check_rate(sample_rate: int) -> None:
    """Refuse a rate that nobody records at.

    Raises:
        MediaUnsupported: it lies outside `RATES`.
    """
    lowest, highest = RATES
    if not lowest <= sample_rate <= highest:
        raise MediaUnsupported(
            f"a sample rate of {lowest:,} to {highest:,} Hz was expected; got {sample_rate:,}. Resample it."
        )


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
