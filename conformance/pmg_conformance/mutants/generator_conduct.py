"""Generators that break what holds for every adapter: batches, seeds, memory, silence."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceGenerator, ReferenceSoundGenerator
from pmg_conformance.reference.world import SPACE
from pmg_sdk.audio import Audio, expect_audio
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Image, Media
from pmg_sdk.progress import Observer


@mutant("generator", "PMG-ANY-005")
class SwallowsOptions(ReferenceGenerator):
    """Takes any option, and uses none."""

    def __init__(self, **options: Any) -> None:
        super().__init__()


@mutant("generator", "PMG-ANY-011")
class NeedsARequest(ReferenceGenerator):
    """Looks at the first of no requests."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        requests[0]
        return super().generate(requests, observer)


@mutant("generator", "PMG-ANY-013")
class SwapsTheBatch(ReferenceGenerator):
    """Returns the first of a batch last."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = super().generate(requests, observer)
        return made[1:] + made[:1]


@mutant("generator", "PMG-ANY-014")
class NumbersItsNoise(ReferenceGenerator):
    """Draws the noise of a whole batch from one random generator."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        seeds = np.random.default_rng([request.seed for request in requests]).integers(
            2**40, size=len(requests)
        )
        return super().generate(
            [dataclasses.replace(one, seed=int(seed)) for one, seed in zip(requests, seeds, strict=True)],
            observer,
        )


@mutant("generator", "PMG-ANY-015")
class ScalesItsInput(ReferenceGenerator):
    """Normalises conditionings in place."""

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        read = super()._read(conditioning)
        if conditioning is not None and conditioning.space == SPACE:
            conditioning.embeds[:] *= np.float32(0.5)
        return read


@mutant("generator", "PMG-ANY-016")
class LendsItsBuffer(ReferenceGenerator):
    """Returns a view of a buffer that the next call overwrites."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = np.zeros((64, 16, 16, 3), np.uint8)

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = super().generate(requests, observer)
        for place, medium in enumerate(made):
            self._buffer[place] = medium.picture().pixels
        return [Image(self._buffer[place]) for place in range(len(made))]


@mutant("generator", "PMG-ANY-020")
class SeedsNothing(ReferenceGenerator):
    """Adds noise that no seed decides."""

    def _noise(self, seed: int) -> NDArray[np.float32]:
        return super()._noise(int(np.random.default_rng().integers(2**40)))


@mutant("generator", "PMG-ANY-021")
class RemembersTheLastUser(ReferenceGenerator):
    """Mixes what the last request wanted into the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._last = np.float32(0)

    def _point(self, request: GenerationRequest) -> NDArray[np.float32]:
        wanted = super()._point(request)
        mixed, self._last = wanted + np.float32(0.3) * self._last, wanted  # type: ignore[assignment]
        return np.asarray(mixed)


@mutant("generator", "PMG-ANY-014")
class LevelsTheBatch(ReferenceSoundGenerator):
    """Turns a whole batch up until its loudest sound is at full scale."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = [expect_audio(medium, "the batch") for medium in super().generate(requests, observer)]
        loudest = max((np.abs(sound.waveform).max() for sound in made), default=1.0)
        return [Audio.from_waveform(sound.waveform / loudest, sound.sample_rate) for sound in made]


@mutant("generator", "PMG-ANY-026", before=ReferenceSoundGenerator)
class SingsSofter(ReferenceSoundGenerator):
    """Has another vocoder than when its golden file was recorded, and is softer."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = [expect_audio(medium, "the vocoder") for medium in super().generate(requests, observer)]
        return [Audio.from_waveform(sound.waveform / 2, sound.sample_rate) for sound in made]


@mutant("generator", "PMG-ANY-026", before=ReferenceGenerator)
class FadesItsColours(ReferenceGenerator):
    """Has another decoder than when its golden file was recorded, and draws paler."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = super().generate(requests, observer)
        return [Image((medium.picture().pixels // 2 + 64).astype(np.uint8)) for medium in made]


@mutant("generator", "PMG-ANY-023", named=True)
class HashesItsSeed(ReferenceGenerator):
    """Seeds its noise with Python's own hash of the text, which differs in every process."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        seeded = [
            dataclasses.replace(request, seed=(request.seed + hash(request.text)) % 2**63)
            for request in requests
        ]
        return super().generate(seeded, observer)


@mutant("generator", "PMG-ANY-030")
class WarnsWithTheText(ReferenceGenerator):
    """Quotes the text in a warning."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        for request in requests:
            warnings.warn(f"{request.text!r} was shortened", stacklevel=2)
        return super().generate(requests, observer)


@mutant("generator", "PMG-ANY-040")
class KeepsLatents(ReferenceGenerator):
    """Keeps what every call computed."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[NDArray[np.float64]] = []

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        self._kept.append(np.ones(2**20))  # 8 MiB
        return super().generate(requests, observer)
