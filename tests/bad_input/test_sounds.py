"""Sounds that cannot be decoded, or are odd, through `pmg generate`."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import Result

from pmg_sdk import Audio

from .conftest import Run

SOUND = {"history": [{"text": "a red cat", "audio": "sound.wav"}]}
HEAR = ("--set", "captioners.audio=reference-sound")


def file_of(samples: Any, rate: int = 16_000, form: str = "WAV", subtype: str | None = None) -> bytes:
    """Samples of shape (length,) or (length, channels), as another program writes them."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
HOUR = file_of(np.zeros(3600 * 8000, dtype=np.int16), 8000, "FLAC")
PLAIN = file_of(TONE)


def stating(rate: int) -> bytes:
    """A WAV file whose header states another sample rate."""
    return PLAIN[:24] + rate.to_bytes(4, "little") + PLAIN[28:]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "a WAV, FLAC, Ogg or MP3 sound was expected"),
        (b"this is a text, and no sound", "a WAV, FLAC, Ogg or MP3 sound was expected"),
        (b"RIFF\x24\x00\x00\x00WAVEnonsense", "cannot be decoded"),
        (PLAIN[:44], "holds no sample"),
        (file_of(TONE, form="FLAC")[:-8000], "FLAC"),
        (file_of(TONE, form="FLAC")[:60], "FLAC"),
        (file_of(TONE, form="AIFF"), "a WAV, FLAC, Ogg or MP3 sound was expected"),
        (b"\x1aE\xdf\xa3webm", "a WAV, FLAC, Ogg or MP3 sound was expected"),
    ],
    ids=["empty", "text", "damaged", "no sample", "cut FLAC", "header of FLAC", "another format", "a film"],
)
def test_a_sound_that_cannot_be_used_is_an_error_that_says_what_can(
    run: Run, refused: Callable[[Result, str], None], data: bytes, told: str
) -> None:
    Path("sound.wav").write_bytes(data)
    refused(run(SOUND), told)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_is_an_error(
    run: Run, refused: Callable[[Result, str], None], odd: float
) -> None:
    Path("sound.wav").write_bytes(file_of(np.append(TONE, odd), subtype="FLOAT"))
    refused(run(SOUND), "got NaN or infinity")


def test_an_hour_is_refused_before_decoding(run: Run, refused: Callable[[Result, str], None]) -> None:
    assert len(HOUR) < 200_000
    Path("sound.wav").write_bytes(HOUR)
    refused(run(SOUND), "at most 1200 s was expected; this one states 3600 s")


def test_a_giant_sound_is_refused_unread(run: Run, refused: Callable[[Result, str], None]) -> None:
    with Path("sound.wav").open("wb") as file:
        file.truncate(2**33)
    refused(run(SOUND), "at most 536,870,912 bytes")


@pytest.mark.parametrize("rate", [1, 7_999, 192_001, 2_000_000_000])
def test_odd_sample_rates_are_refused(run: Run, refused: Callable[[Result, str], None], rate: int) -> None:
    Path("sound.wav").write_bytes(stating(rate))
    refused(run(SOUND), "8,000 to 192,000 Hz was expected")


@pytest.mark.parametrize("channels", [9, 24])
def test_too_many_channels_are_refused(
    run: Run, refused: Callable[[Result, str], None], channels: int
) -> None:
    Path("sound.wav").write_bytes(file_of(np.zeros((100, channels))))
    refused(run(SOUND), f"1 to 8 channels was expected; got {channels}")


@pytest.mark.parametrize(
    "data",
    [
        file_of(np.zeros(16_000)),
        file_of(np.stack([TONE, -TONE], axis=1)),
        file_of(TONE, 8_000),
        file_of(TONE, 192_000),
        file_of(np.stack([TONE] * 6, axis=1)),
        file_of(4 * TONE, subtype="FLOAT"),
        file_of([0.5]),
    ],
    ids=["silence", "opposite stereo", "8 kHz", "192 kHz", "surround", "beyond full scale", "one sample"],
)
def test_odd_sounds_are_listened_to(run: Run, data: bytes) -> None:
    Path("sound.wav").write_bytes(data)
    done = run(SOUND, *HEAR)
    assert done.exit_code == 0, done.output
    assert "not looked at" not in done.stderr


def test_floats_beyond_full_scale_are_turned_down_as_a_whole() -> None:
    heard = Audio.open(file_of(4 * TONE, subtype="FLOAT"))
    assert heard.peak == 0
    assert np.abs(heard.waveform[0] - 2 * TONE).max() < 1e-4


def test_surround_is_mixed_to_one_channel() -> None:
    surround = np.stack([TONE, *[np.zeros_like(TONE)] * 5], axis=1)
    heard = Audio.open(file_of(surround))
    assert heard.channels == 1
    assert np.abs(heard.waveform[0] - TONE / 6).max() < 1e-4


def test_a_wav_that_was_cut_is_read_as_far_as_it_goes() -> None:
    """Programs that stream leave the stated length wrong in whole files as well."""
    assert Audio.open(PLAIN[: 44 + 2 * 4000]).length == 4000


def test_sounds_that_nobody_reads_are_a_warning(run: Run) -> None:
    Path("sound.wav").write_bytes(PLAIN)
    done = run(SOUND)
    assert done.exit_code == 0, done.output
    assert "1 media of modality 'audio' were not looked at" in done.stderr
