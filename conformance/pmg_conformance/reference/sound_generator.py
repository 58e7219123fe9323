"""Sings what `ReferenceGenerator` draws."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.reference.generator import ReferenceGenerator
from pmg_conformance.reference.sound_world import LENGTH, RATE, heard, sung
from pmg_sdk.audio import Audio, expect_audio
from pmg_sdk.interfaces import ConditioningKind
from pmg_sdk.media import Media

__all__ = ["ReferenceSoundGenerator"]

_HISS = 0.2
"""Standard deviation of the noise that a sound is made from; 1 is full scale."""


class ReferenceSoundGenerator(ReferenceGenerator):
    """Half a second at 16 kHz: eight tones, out of noise.

    Args:
        conditioning, negative, max_tokens: as `ReferenceGenerator` has them.
    """

    def __init__(
        self, *, conditioning: ConditioningKind = "sequence", negative: bool = True, max_tokens: int = 24
    ) -> None:
        super().__init__(conditioning=conditioning, negative=negative, max_tokens=max_tokens)
        self._spec = dataclasses.replace(self._spec, modality="audio", size=None)

    def _shown(self, point: NDArray[np.float32]) -> NDArray[np.float32]:
        return sung(point)

    def _seen(self, medium: Media) -> NDArray[np.float32]:
        return heard(expect_audio(medium, type(self).__name__))

    def _finished(self, estimate: NDArray[np.float32]) -> Media:
        return Audio.from_waveform(estimate, RATE)

    def _noise(self, seed: int) -> NDArray[np.float32]:
        if self._full:
            raise MemoryError
        return np.random.default_rng(seed).normal(0, _HISS, (1, LENGTH)).astype(np.float32)
