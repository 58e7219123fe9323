"""What a sound looks like: its waveform, and how loud it is in bands of equal width to the ear.

Bands are equally wide in mel, m = 2595 log10(1 + f / 700 Hz) (O'Shaughnessy 1987).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FLOOR", "mel_levels", "sound_picture"]

FLOOR = -80.0
"""dBFS; what is softer counts as this."""

_LOWEST, _HIGHEST = 40.0, 20_000.0
_WINDOW = 0.05
"""Seconds of one look: short for a rhythm, long for a pitch."""
_LOOKS = 8
"""Most looks that one column of a long sound is the mean of."""
_RANGE = 65.0
"""dB from the darkest to the brightest colour."""
_WAVE = 0.28
"""Share of the waveform in a picture's height."""

_COLOURS = np.array(
    [
        (13, 10, 30),
        (48, 18, 94),
        (120, 34, 128),
        (196, 60, 110),
        (245, 125, 90),
        (254, 205, 145),
        (255, 250, 215),
    ]
)
_GROUND, _LINE, _INK = np.array((22, 20, 42)), np.array((58, 54, 92)), np.array((255, 176, 120))


def mel_levels(
    waveform: NDArray[np.float32], sample_rate: int, *, bands: int, columns: int
) -> NDArray[np.float32]:
    """How loud each band is over time.

    Args:
        waveform: shape (channels, length), -1 to 1; the mean power of the channels counts.
        bands: between 40 Hz and half the sample rate, at most 20 kHz.
        columns: equal parts of the time.

    Returns:
        Float32, shape (bands, columns), the lowest band first, in dBFS from `FLOOR` to about 0, which a
        full sine reaches.
    """
    size = 2 ** round(np.log2(_WINDOW * sample_rate))
    length = waveform.shape[1]
    looks = int(np.clip(np.ceil(length / columns / size), 1, _LOOKS))
    centres = (np.arange(columns * looks) + 0.5) * length / (columns * looks)
    starts = np.round(centres).astype(np.int64)  # into the padded waveform, where they are size / 2 earlier
    padded = np.pad(waveform, ((0, 0), (size // 2, size // 2)))
    hann = np.hanning(size).astype(np.float32)
    hertz = np.fft.rfftfreq(2 * size, 1 / sample_rate)
    edges = _mel_edges(bands, sample_rate)
    levels = np.empty((bands, columns), np.float32)
    for column in range(columns):  # one at a time: a long sound in all its looks is large
        here = starts[column * looks : (column + 1) * looks, None] + np.arange(size)
        spectrum = np.fft.rfft(padded[:, here] * hann, 2 * size)
        power = np.square(np.abs(spectrum) * (2 / hann.sum())).mean(axis=(0, 1))
        below = np.concatenate([[0.0], np.cumsum(power)])
        bins = np.append(hertz, hertz[-1] + hertz[1]) - hertz[1] / 2
        mean = np.diff(np.interp(edges, bins, below)) / (np.diff(edges) / hertz[1])
        levels[:, column] = 10 * np.log10(np.maximum(mean, 1e-12))
    return np.maximum(levels, np.float32(FLOOR))


def sound_picture(
    waveform: NDArray[np.float32], sample_rate: int, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The waveform at full scale, a lane for each channel, above the spectrogram, low bands at the bottom.

    Colours of the spectrogram are relative to the loudest band, so that soft sounds are seen as well.

    Args:
        size: (width, height) in pixels.

    Returns:
        uint8, shape (height, width, 3).
    """
    width, height = size
    wave = round(_WAVE * height)
    lanes = [_lane(x, width, rows) for x, rows in zip(waveform, _split(wave, len(waveform)), strict=True)]
    levels = mel_levels(waveform, sample_rate, bands=height - wave, columns=width)[::-1]
    top = max(float(levels.max()), FLOOR + _RANGE)
    shade = np.clip((levels - (top - _RANGE)) / _RANGE, 0, 1) * (len(_COLOURS) - 1)
    colours = [np.interp(shade, np.arange(len(_COLOURS)), _COLOURS[:, channel]) for channel in range(3)]
    return np.concatenate([*lanes, np.stack(colours, axis=-1)]).round().astype(np.uint8)


def _mel_edges(bands: int, sample_rate: int) -> NDArray[np.float64]:
    highest = min(sample_rate / 2, _HIGHEST)
    low, high = 2595 * np.log10(1 + np.array([_LOWEST, highest]) / 700)
    mel = np.linspace(float(low), float(high), bands + 1)
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def _split(rows: int, lanes: int) -> list[int]:
    return [rows * (lane + 1) // lanes - rows * lane // lanes for lane in range(lanes)]


def _lane(x: NDArray[np.float32], width: int, rows: int) -> NDArray[np.float64]:
    """The range of one channel's samples in every column, at least a line, shape (rows, width, 3)."""
    starts = np.arange(width) * len(x) // width  # of fewer samples than columns, some are shown again
    middle, half = rows / 2, rows / 2 - 1
    upper = middle - np.maximum(np.maximum.reduceat(x, starts) * half, 0.5)
    lower = middle - np.minimum(np.minimum.reduceat(x, starts) * half, -0.5)
    row = np.arange(rows)[:, None]
    covered = np.clip(np.minimum(lower, row + 1) - np.maximum(upper, row), 0, 1)[..., None]
    ground = np.where((row == rows - 1)[..., None], _LINE, _GROUND)
    return np.asarray(ground + covered * (_INK - ground))
