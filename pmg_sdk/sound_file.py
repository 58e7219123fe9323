"""Files of sound: WAV, FLAC, Ogg and MP3 in, FLAC and Ogg out, through libsndfile.

The header is read first: what is too long, of too many channels or of an odd rate costs no decoding.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from pmg_sdk.audio import check_rate
from pmg_sdk.errors import InputError, MediaCorrupt, MediaTooLarge, MediaUnsupported, MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_FILE_BYTES", "MAX_SECONDS", "encoded", "read_sound"]

MAX_SECONDS = 1200.0
"""A long song, not an album."""
MAX_FILE_BYTES = 512 * 1024 * 1024
"""Twenty minutes of 48 kHz stereo in 32 bits fit."""
MAX_SAMPLES = 128_000_000
"""Of all channels together: twenty minutes of 48 kHz stereo fit."""
MAX_CHANNELS = 8

_BLOCK = 2**18
_WANTED = "a WAV, FLAC, Ogg or MP3 sound was expected"


def read_sound(
    source: str | Path | bytes,
    *,
    start: float,
    seconds: float | None,
    max_seconds: float,
    max_bytes: int,
) -> tuple[NDArray[np.int16] | NDArray[np.float32], int]:
    """Samples, int16 where the file has 16 bits and else float32, shape (channels, length), and the rate.

    See `Audio.open`, whose arguments and errors these are.
    """
    if start < 0 or (seconds is not None and not seconds > 0):
        raise InputError(f"a part of a sound was expected; got {seconds} s from {start} s on")
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), len(source), start, seconds, max_seconds, max_bytes)
    path = Path(source)
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size, start, seconds, max_seconds, max_bytes)
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        raise MediaCorrupt(f"{_WANTED} at {path}; {getattr(error, 'strerror', error)}") from error


def encoded(samples: NDArray[np.int16], sample_rate: int, ending: str) -> bytes:
    """The bytes of a .flac (16 bits) or .ogg (Vorbis) file.

    Raises:
        MediaUnsupported: another ending.
        MissingExtra: soundfile is not installed.
    """
    forms = {".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
    if ending not in forms:
        raise MediaUnsupported(
            f"a file name with .wav, .flac or .ogg was expected; got {ending or 'none of them'!r}"
        )
    soundfile = _soundfile()
    form, subtype = forms[ending]
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", sample_rate, len(samples), subtype, format=form) as file:
        for begin in range(0, samples.shape[1], _BLOCK):  # libsndfile's Vorbis overruns on large blocks
            file.write(samples[:, begin : begin + _BLOCK].T)
    return buffer.getvalue()


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: its libsndfile cannot be loaded
        raise MissingExtra("files of sound need soundfile: pip install 'pmg-sdk[audio]'") from error
    return soundfile


def _read(
    file: BinaryIO, size: int, start: float, seconds: float | None, max_seconds: float, max_bytes: int
) -> tuple[NDArray[np.int16] | NDArray[np.float32], int]:
    if size > max_bytes:
        raise MediaTooLarge(
            f"a sound of at most {max_bytes:,} bytes was expected; this file has {size:,}. "
            "Compress it, or raise max_bytes."
        )
    soundfile = _soundfile()
    if not _is_sound(file.read(12)):
        raise MediaCorrupt(f"{_WANTED}; these {size:,} bytes are none of them")
    file.seek(0)
    try:
        with soundfile.SoundFile(file) as opened:
            begin, frames = _part(opened, start, seconds, max_seconds)
            opened.seek(begin)
            return _decoded(opened, frames), opened.samplerate
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise MediaCorrupt(f"{_WANTED}; these {size:,} bytes cannot be decoded") from error


def _is_sound(head: bytes) -> bool:
    """Whether a file begins as one of the formats; libsndfile would try two dozen others."""
    mp3 = head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)
    wav = head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"
    return wav or mp3 or head[:4] in (b"fLaC", b"OggS")


def _part(file: Any, start: float, seconds: float | None, max_seconds: float) -> tuple[int, int]:
    """The first frame and the number of frames to read, within every limit."""
    rate, channels, total = file.samplerate, file.channels, file.frames
    check_rate(rate)
    if channels > MAX_CHANNELS:
        raise MediaUnsupported(f"a sound of 1 to {MAX_CHANNELS} channels was expected; got {channels}")
    if total < 1:
        raise MediaCorrupt(f"{_WANTED}; this one holds no sample")
    begin = round(start * rate)
    if begin >= total:
        raise InputError(f"a part of a sound of {total / rate:g} s was expected; got one from {start:g} s on")
    frames = total - begin if seconds is None else min(total - begin, max(1, round(seconds * rate)))
    if frames > max_seconds * rate:
        raise MediaTooLarge(
            f"a sound of at most {max_seconds:g} s was expected; this one states {frames / rate:.0f} s. "
            "Read a part of it (start, seconds), or raise max_seconds."
        )
    if frames * channels > MAX_SAMPLES:
        raise MediaTooLarge(
            f"at most {MAX_SAMPLES:,} samples were expected; this sound states {frames:,} in each of "
            f"{channels} channels. Read a part of it (start, seconds), or save it at a lower rate."
        )
    return begin, frames


def _decoded(file: Any, frames: int) -> NDArray[np.int16] | NDArray[np.float32]:
    plain = file.subtype == "PCM_16" and file.channels <= 2
    blocks: list[NDArray[Any]] = []
    left = frames
    while left > 0:  # in blocks: a stated length is no reason to take the memory for it
        block = file.read(min(left, _BLOCK), dtype="int16" if plain else "float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block if file.channels <= 2 else block.mean(axis=1, keepdims=True))
        left -= len(block)
    # The length of an MP3 is an estimate; in the other formats it is part of what was written.
    if not blocks or (left and file.format != "MP3"):
        raise MediaCorrupt(
            f"{_WANTED}; this one states {frames:,} samples a channel and ends after {frames - left:,}"
        )
    return np.ascontiguousarray(np.concatenate(blocks).T)
