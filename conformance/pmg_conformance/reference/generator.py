"""Draws the mean of its conditioning; the seed decides the noise it starts from.

What it can learn follows: its loss is how far the mean of a conditioning is from the point that a picture
shows, seen through noise.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.reference.text_encoder import ReferenceTextEncoder
from pmg_conformance.reference.world import SPACE, WIDTH, drawn, meaning, seen
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import GenerationError, InputError, OutOfMemory, SpaceMismatch
from pmg_sdk.interfaces import (
    ConditioningKind,
    GenerationRequest,
    Generator,
    GeneratorSpec,
    TextEncoder,
    TrainingLoss,
)
from pmg_sdk.media import Image, Media
from pmg_sdk.progress import Observer, Silent, check_cancelled

__all__ = ["ReferenceGenerator"]

_GREY, _NOISE = 128.0, 64.0
_BLUR = 0.5
"""Standard deviation of the noise in which training sees a point."""


class ReferenceGenerator(Generator):
    """All three kinds of conditioning, in numpy: every step goes half of the way from noise to the picture.

    Args:
        conditioning: which kind to be.
        negative: whether to honour what to stay away from.
        max_tokens: of the text encoder that comes with it.
        side: of the square picture, in pixels; a multiple of 4.
    """

    def __init__(
        self,
        *,
        conditioning: ConditioningKind = "sequence",
        negative: bool = True,
        max_tokens: int = 24,
        side: int = 16,
    ) -> None:
        self._spec = GeneratorSpec(
            modality="image",
            conditioning=conditioning,
            space=None if conditioning == "text" else SPACE,
            negative=negative,
            steps=4,
            guidance=1.5,
            size=(side, side),
        )
        self._encoder = ReferenceTextEncoder(max_tokens=max_tokens)
        self._side = side
        self._running: list[NDArray[np.float32]] = []
        self._full = False

    @property
    def spec(self) -> GeneratorSpec:
        return self._spec

    @property
    def text_encoder(self) -> TextEncoder | None:
        return None if self._spec.conditioning == "text" else self._encoder

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        steps = [self._steps(request) for request in requests]
        wanted = [self._shown(self._point(request)) for request in requests]
        if not requests:
            return []
        try:
            return self._denoise(wanted, requests, steps, observer or Silent())
        except MemoryError as error:
            raise OutOfMemory("a medium does not fit into memory; ask for a smaller one") from error
        finally:
            self._running = []

    def preview(self) -> list[Media]:
        return [self._finished(estimate) for estimate in self._running]

    def training_targets(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        return [self._seen(medium) for medium in media]

    def training_loss(
        self,
        conditionings: Sequence[Conditioning],
        targets: Sequence[NDArray[np.float32]],
        seeds: Sequence[int],
        *,
        draws: int = 1,
        gradients: bool = True,
    ) -> TrainingLoss:
        """The mean of (r(E) + noise - target)^2, where r(E) is what `generate` reads."""
        try:
            apart = [
                self._read(conditioning) + self._blur(seed, draws) - target
                for conditioning, target, seed in zip(conditionings, targets, seeds, strict=True)
            ]
        except MemoryError as error:
            raise OutOfMemory("a loss does not fit into memory; ask for fewer draws") from error
        values = np.array([np.square(each).mean() for each in apart], dtype=np.float32)
        if not np.isfinite(values).all():
            raise GenerationError("numbers were expected in conditioning and target; got NaN or infinity")
        if not gradients:
            return TrainingLoss(values)
        slopes = [2 / WIDTH * each.mean(axis=0) for each in apart]  # d loss / d r
        return TrainingLoss(values, tuple(map(self._spread, slopes, conditionings)))

    @contextlib.contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """For conformance: while it is open, memory is full (see `SupportsFaults`)."""
        if kind != "out_of_memory":
            raise InputError(f"the fault 'out_of_memory' was expected; got {kind!r}")
        self._full = True
        try:
            yield
        finally:
            self._full = False

    def _denoise(
        self,
        wanted: Sequence[NDArray[np.float32]],
        requests: Sequence[GenerationRequest],
        steps: Sequence[int],
        observer: Observer,
    ) -> list[Media]:
        self._running = estimates = [self._noise(request.seed) for request in requests]
        observer.start("denoise", max(steps))
        for step in range(max(steps)):
            check_cancelled(observer)
            for index, picture in enumerate(wanted):
                if step < steps[index]:  # each request's own number, whoever else is in the batch
                    estimates[index] = (estimates[index] + picture) * np.float32(0.5)
            observer.advance("denoise")
        return [self._finished(estimate) for estimate in estimates]

    def _shown(self, point: NDArray[np.float32]) -> NDArray[np.float32]:
        return drawn(point, self._side)

    def _seen(self, medium: Media) -> NDArray[np.float32]:
        return seen(medium.picture().pixels)

    def _finished(self, estimate: NDArray[np.float32]) -> Media:
        return Image(np.asarray(np.clip(estimate, 0, 255), dtype=np.uint8))

    def _noise(self, seed: int) -> NDArray[np.float32]:
        if self._full:
            raise MemoryError
        noise = np.random.default_rng(seed).normal(_GREY, _NOISE, (self._side, self._side, 3))
        return noise.astype(np.float32)

    def _blur(self, seed: int, draws: int) -> NDArray[np.float32]:
        if self._full:
            raise MemoryError
        return np.random.default_rng(seed).normal(0, _BLUR, (draws, WIDTH)).astype(np.float32)

    def _steps(self, request: GenerationRequest) -> int:
        steps = self._spec.steps if request.steps is None else request.steps
        if steps < 1:
            raise InputError(f"at least one step was expected; got {steps}")
        return steps

    def _point(self, request: GenerationRequest) -> NDArray[np.float32]:
        """What to show: wanted, guided away from what is unwanted, which is the empty text by default."""
        guidance = self._spec.guidance if request.guidance is None else request.guidance
        if not math.isfinite(guidance):
            raise InputError(f"a finite guidance was expected; got {guidance}")
        unwanted = meaning("").mean(axis=0)
        if self._spec.conditioning == "text":
            wanted = meaning(request.text).mean(axis=0)
            if self._spec.negative:
                unwanted = meaning(request.negative_text).mean(axis=0)
        else:
            wanted = self._read(request.conditioning)
            if self._spec.negative and request.negative is not None:
                unwanted = self._read(request.negative)
        point = unwanted + guidance * (wanted - unwanted)
        if not np.isfinite(point).all():
            raise GenerationError("numbers were expected in the conditioning; got NaN or infinity")
        return np.asarray(point, dtype=np.float32)

    def _read(self, conditioning: Conditioning | None) -> NDArray[np.float32]:
        if conditioning is None:
            raise GenerationError("a conditioning was expected; got none")
        if conditioning.space != SPACE:
            raise SpaceMismatch(f"a conditioning of space {SPACE!r} was expected; got {conditioning.space!r}")
        if self._spec.conditioning == "pooled":
            if conditioning.pooled is None:
                raise GenerationError("a pooled vector was expected; got none")
            return conditioning.pooled
        if conditioning.embeds.shape[1] != WIDTH:
            raise GenerationError(f"embeds of width {WIDTH} were expected; got {conditioning.embeds.shape}")
        return np.asarray(conditioning.embeds.mean(axis=0), dtype=np.float32)

    def _spread(self, slope: NDArray[np.float32], conditioning: Conditioning) -> Conditioning:
        """d loss / d E: of the pooled vector, or of tokens, each of which is a part of the mean."""
        embeds = np.zeros_like(conditioning.embeds)
        pooled = None if conditioning.pooled is None else np.zeros_like(conditioning.pooled)
        if self._spec.conditioning != "pooled":
            embeds += slope / np.float32(conditioning.tokens)
        elif pooled is not None:
            pooled += slope
        return Conditioning(embeds, conditioning.space, pooled)
