"""Generators that break the contract of generators."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceGenerator, ReferenceTextEncoder
from pmg_conformance.reference.world import SPACE
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import Cancelled
from pmg_sdk.interfaces import GenerationRequest, GeneratorSpec, TextEncoder
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer, Silent


@mutant("generator", "PMG-GEN-001")
class ChangesItsSpec(ReferenceGenerator):
    """States other defaults at every reading."""

    _read_times = 0

    @property
    def spec(self) -> GeneratorSpec:
        self._read_times += 1
        return dataclasses.replace(self._spec, steps=4 + self._read_times)


@mutant("generator", "PMG-GEN-001")
class HasNoSteps(ReferenceGenerator):
    """States that it takes no steps by default."""

    @property
    def spec(self) -> GeneratorSpec:
        return dataclasses.replace(self._spec, steps=0)


@mutant("generator", "PMG-GEN-002")
class BringsAnotherEncoder(ReferenceGenerator):
    """Comes with an encoder of another space than its spec states."""

    @property
    def text_encoder(self) -> TextEncoder | None:
        return ReferenceTextEncoder(space="another")


@mutant("generator", "PMG-GEN-003")
class DrawsAnotherSize(ReferenceGenerator):
    """Draws twice the size that its spec states."""

    def __init__(self) -> None:
        super().__init__()
        self._side *= 2


@mutant("generator", "PMG-GEN-004")
class IgnoresTheSeed(ReferenceGenerator):
    """Starts from the same noise always."""

    def _noise(self, seed: int) -> NDArray[np.float32]:
        return super()._noise(0)


@mutant("generator", "PMG-GEN-005")
class CutsTheSeed(ReferenceGenerator):
    """Keeps the lower 32 bits of a seed."""

    def _noise(self, seed: int) -> NDArray[np.float32]:
        return super()._noise(seed % 2**32)


@mutant("generator", "PMG-GEN-005")
class RefusesLargeSeeds(ReferenceGenerator):
    """Takes seeds of 32 bits only."""

    def _noise(self, seed: int) -> NDArray[np.float32]:
        np.random.RandomState(seed)
        return super()._noise(seed)


@mutant("generator", "PMG-GEN-006")
class SharesGuidance(ReferenceGenerator):
    """Guides a whole batch by the first request."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        first = [request.guidance for request in requests[:1]]
        shared = [dataclasses.replace(request, guidance=first[0]) for request in requests]
        return super().generate(shared, observer)


@mutant("generator", "PMG-GEN-007")
class SharesSteps(ReferenceGenerator):
    """Runs a whole batch as long as its longest request."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        longest = max((self._steps(request) for request in requests), default=1)
        return super().generate([dataclasses.replace(one, steps=longest) for one in requests], observer)


class _Louder(Silent):
    """Passes on what it hears, and one step more."""

    def __init__(self, observer: Observer, stage: str = "denoise", more: int = 1) -> None:
        self._observer, self._stage, self._more = observer, stage, more

    def start(self, stage: str, total: int) -> None:
        self._observer.start(self._stage, total)
        if self._more:
            self._observer.advance(self._stage, self._more)

    def advance(self, stage: str, steps: int = 1) -> None:
        self._observer.advance(self._stage, steps)

    def cancelled(self) -> bool:
        return self._observer.cancelled()


@mutant("generator", "PMG-GEN-008")
class Overruns(ReferenceGenerator):
    """Tells of one step more than it announced."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        return super().generate(requests, _Louder(observer or Silent()))


@mutant("generator", "PMG-GEN-008")
class NamesItsOwnStage(ReferenceGenerator):
    """Calls the stage "sampling"."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        return super().generate(requests, _Louder(observer or Silent(), "sampling", more=0))


@mutant("generator", "PMG-GEN-009")
class DoesNotStop(ReferenceGenerator):
    """Never asks whether to stop, and tells of its steps when they are done."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = super().generate(requests)
        if observer is not None and requests:
            steps = max(self._steps(request) for request in requests)
            observer.start("denoise", steps)
            observer.advance("denoise", steps)
        return made


@mutant("generator", "PMG-GEN-009")
class IsBrokenByAStop(ReferenceGenerator):
    """Keeps a half-done estimate after a stop and goes on from it."""

    _half_done = False

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        try:
            return super().generate(requests, observer)
        except Cancelled:
            self._half_done = True
            raise

    def _noise(self, seed: int) -> NDArray[np.float32]:
        return super()._noise(seed) * np.float32(0.5 if self._half_done else 1)


@mutant("generator", "PMG-GEN-010")
class IgnoresTheNegative(ReferenceGenerator):
    """Says that it honours negatives, and does not look at them."""

    def _point(self, request: GenerationRequest) -> NDArray[np.float32]:
        return super()._point(dataclasses.replace(request, negative=None, negative_text=""))


@mutant("generator", "PMG-GEN-011")
class GuidesFromZero(ReferenceGenerator):
    """Takes zeros where there is no negative."""

    def _point(self, request: GenerationRequest) -> NDArray[np.float32]:
        if request.negative is None:
            request = dataclasses.replace(request, negative=Conditioning(np.zeros((1, 8), np.float32), SPACE))
        return super()._point(request)


@mutant("generator", "PMG-GEN-011")
class SaysThatItGuidesFromZero(ReferenceGenerator):
    """States zeros where it takes the empty text."""

    @property
    def spec(self) -> GeneratorSpec:
        return dataclasses.replace(self._spec, unconditional="zeros")


@mutant("generator", "PMG-GEN-012")
class AcceptsAnotherSpace(ReferenceGenerator):
    """Does not compare spaces."""

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        return super()._read(conditioning and dataclasses.replace(conditioning, space=SPACE))


@mutant("generator", "PMG-GEN-013")
class DrawsNan(ReferenceGenerator):
    """Draws a grey picture of values that are no numbers."""

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        return np.nan_to_num(super()._read(conditioning))


@mutant("generator", "PMG-GEN-014")
class Truncates(ReferenceGenerator):
    """Cuts conditionings at the length of its text encoder."""

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        most = self._encoder.max_tokens
        return super()._read(
            conditioning and dataclasses.replace(conditioning, embeds=conditioning.embeds[:most])
        )


@mutant("generator", "PMG-GEN-015")
class PadsWithoutMask(ReferenceGenerator):
    """Pads conditionings to the longest of the batch, and averages over the padding."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        parts = [request.conditioning for request in requests]
        longest = max((part.tokens for part in parts if part is not None), default=0)
        padded = [
            part
            and dataclasses.replace(part, embeds=np.pad(part.embeds, ((0, longest - part.tokens), (0, 0))))
            for part in parts
        ]
        changed = [
            dataclasses.replace(one, conditioning=part) for one, part in zip(requests, padded, strict=True)
        ]
        return super().generate(changed, observer)


@mutant("generator", "PMG-GEN-016")
class NormalisesWeightsAway(ReferenceGenerator):
    """Brings every token to length 1."""

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        return super()._read(conditioning and _scaled(conditioning, power=1))


@mutant("generator", "PMG-GEN-017")
class TurnsWeightsAround(ReferenceGenerator):
    """Divides by weights instead of multiplying."""

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        return super()._read(conditioning and _scaled(conditioning, power=2))


def _scaled(conditioning: Conditioning, power: int) -> Conditioning:
    lengths = np.linalg.norm(conditioning.embeds, axis=1, keepdims=True)
    return dataclasses.replace(conditioning, embeds=conditioning.embeds / lengths**power)


@mutant("generator", "PMG-GEN-018")
class TakesNoStepsForDefault(ReferenceGenerator):
    """Takes 0 steps to mean the default."""

    def _steps(self, request: GenerationRequest) -> int:
        return request.steps or self._spec.steps


@mutant("generator", "PMG-GEN-018")
class GuidesByNan(ReferenceGenerator):
    """Guides by anything, and draws grey where that is no number."""

    def _point(self, request: GenerationRequest) -> NDArray[np.float32]:
        guidance = request.guidance
        return super()._point(
            dataclasses.replace(request, guidance=guidance and float(np.nan_to_num(guidance)))
        )


@mutant("generator", "PMG-GEN-019")
class KeepsThePreview(ReferenceGenerator):
    """Shows the last batch when none runs."""

    def __init__(self) -> None:
        super().__init__()
        self._last: list[Media] = []

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        self._last = super().generate(requests, observer)
        return list(self._last)

    def preview(self) -> list[Media]:
        return super().preview() or list(self._last)


@mutant("generator", "PMG-GEN-019")
class PreviewsTheFirst(ReferenceGenerator):
    """Shows one candidate of the running batch."""

    def preview(self) -> list[Media]:
        return super().preview()[:1]


class _NotMapped(Exception):
    """What a backend raises when memory is full."""


@mutant("generator", "PMG-GEN-020")
class RaisesTheBackendsError(ReferenceGenerator):
    """Lets the backend's error through."""

    def _noise(self, seed: int) -> NDArray[np.float32]:
        if self._full:
            raise _NotMapped("CUDA out of memory")
        return super()._noise(seed)


@mutant("generator", "PMG-GEN-020")
class IsBrokenByAFullDevice(ReferenceGenerator):
    """Falls back to less precision when memory was full, for good."""

    _coarse = False

    def _noise(self, seed: int) -> NDArray[np.float32]:
        self._coarse |= self._full
        return super()._noise(seed) * np.float32(0.5 if self._coarse else 1)
