"""The toy world to listen to: a point is a chord of eight tones, each as loud as the point is long there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.reference.world import WIDTH
from pmg_sdk.audio import Audio

__all__ = ["LENGTH", "RATE", "heard", "sung"]

RATE = 16_000
LENGTH = 8_000

_TONES = np.array([220, 262, 330, 440, 524, 660, 880, 1048])  # Hz; whole periods in half a second
_LOUD = 0.08


def sung(point: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half a second that sounds like `point`, float32 of shape (1, 8000)."""
    return np.asarray(_LOUD * point[None] @ _sines(RATE, LENGTH), dtype=np.float32)


def heard(sound: Audio) -> NDArray[np.float32]:
    """The point a sound of any rate and length sounds like: the inverse of `sung` up to noise."""
    begin = sound.mono().waveform[0, : sound.sample_rate]
    sines = _sines(sound.sample_rate, len(begin))
    return np.asarray(sines @ begin * (2 / len(begin) / _LOUD), dtype=np.float32)


def _sines(rate: int, length: int) -> NDArray[np.float64]:
    phases = 2 * np.pi * _TONES[:, None] * np.arange(length) / rate
    assert len(phases) == WIDTH
    return np.asarray(np.sin(phases))
