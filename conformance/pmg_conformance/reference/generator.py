"""Draws the mean of its conditioning; the seed decides the grain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.reference.text_encoder import ReferenceTextEncoder
from pmg_conformance.reference.world import SPACE, WIDTH, drawn, meaning
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import GenerationError, SpaceMismatch
from pmg_sdk.interfaces import (
    ConditioningKind,
    GenerationRequest,
    Generator,
    GeneratorSpec,
    TextEncoder,
)
from pmg_sdk.media import Image, Media
from pmg_sdk.progress import Observer, Silent, check_cancelled

__all__ = ["ReferenceGenerator"]


class ReferenceGenerator(Generator):
    """All three kinds of conditioning, in numpy.

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

    @property
    def spec(self) -> GeneratorSpec:
        return self._spec

    @property
    def text_encoder(self) -> TextEncoder | None:
        return None if self._spec.conditioning == "text" else self._encoder

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        observer = observer or Silent()
        steps = max((request.steps or self._spec.steps for request in requests), default=0)
        observer.start("denoise", steps)
        for _ in range(steps):
            check_cancelled(observer)
            observer.advance("denoise")
        return [self._draw(request) for request in requests]

    def _draw(self, request: GenerationRequest) -> Image:
        origin = meaning("").mean(axis=0)
        if self._spec.conditioning == "text":
            wanted, unwanted = meaning(request.text).mean(axis=0), meaning(request.negative_text).mean(axis=0)
        else:
            if request.conditioning is None:
                raise GenerationError("a conditioning was expected; got none")
            wanted = self._point(request.conditioning)
            unwanted = origin if request.negative is None else self._point(request.negative)
        if not self._spec.negative:
            unwanted = origin
        guidance = self._spec.guidance if request.guidance is None else request.guidance
        point = unwanted + guidance * (wanted - unwanted)
        grain = np.random.default_rng(request.seed).normal(0, 4, (self._side, self._side, 3))
        return Image(drawn(point, grain.astype(np.float32), self._side))

    def _point(self, conditioning: Conditioning) -> NDArray[np.float32]:
        if conditioning.space != SPACE:
            raise SpaceMismatch(f"a conditioning of space {SPACE!r} was expected; got {conditioning.space!r}")
        if self._spec.conditioning == "pooled":
            if conditioning.pooled is None:
                raise GenerationError("a pooled vector was expected; got none")
            return conditioning.pooled
        if conditioning.embeds.shape[1] != WIDTH:
            raise GenerationError(f"embeds of width {WIDTH} were expected; got {conditioning.embeds.shape}")
        return np.asarray(conditioning.embeds.mean(axis=0), dtype=np.float32)
