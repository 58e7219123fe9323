"""A sound as one channel at the rate a model hears, and in windows as long as it can hear at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.audio import Audio
from pmg_sdk.errors import CapabilityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pmg_sdk.media import Media

__all__ = ["expect_audio", "mean_rows", "mono_at", "windows"]


def expect_audio(medium: Media, reader: str) -> Audio:
    """The medium itself, for a reader of sounds alone.

    Raises:
        CapabilityError: it is no sound; `reader` names what cannot read anything else.
    """
    if not isinstance(medium, Audio):
        raise CapabilityError(
            f"an Audio was expected; got {type(medium).__name__}, which {reader} cannot read"
        )
    return medium


def mono_at(sound: Audio, rate: int) -> NDArray[np.float32]:
    """The mean of the channels at `rate` samples a second, float32, shape (length,), -1 to 1."""
    mono: NDArray[np.float32] = sound.waveform.mean(axis=0, dtype=np.float32)
    if sound.sample_rate == rate or not len(mono):
        return mono
    import soxr

    return np.asarray(soxr.resample(mono, sound.sample_rate, rate, quality="HQ"), dtype=np.float32)


def windows(waveform: NDArray[np.float32], length: int) -> list[NDArray[np.float32]]:
    """The whole of a waveform in pieces of `length` samples; the last one ends where the waveform does.

    A waveform that is no longer than that is its own window.
    """
    starts = [*range(0, max(len(waveform) - length, 0), length), max(len(waveform) - length, 0)]
    return [waveform[start : start + length] for start in starts]


def mean_rows(rows: NDArray[np.float32], counts: Sequence[int]) -> NDArray[np.float32]:
    """One unit row for every sound: the mean of its windows' unit rows, made unit.

    Args:
        rows: shape (windows of all sounds, width).
        counts: windows of every sound, 1 or more.
    """
    if not counts:
        return rows
    sums = np.add.reduceat(rows, np.cumsum([0, *counts[:-1]]), axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-12), dtype=np.float32)
