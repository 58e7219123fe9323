"""A generator of kind "text": it is handed keywords as text, as hosted models are."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_sdk import GenerationRequest, Generator, GeneratorSpec, Image, Media, Observer
from pmg_sdk.errors import InputError
from pmg_sdk.progress import Silent, check_cancelled

__all__ = ["MyAdapter"]


class MyAdapter(Generator):
    """Draws a stripe for every word. Weights arrive as order and repetition of words.

    Args:
        side: of the square picture, in pixels.
    """

    def __init__(self, *, side: int = 64) -> None:
        self._side = side

    @property
    def spec(self) -> GeneratorSpec:
        return GeneratorSpec(
            modality="image",
            conditioning="text",
            negative=False,
            steps=4,
            guidance=1.0,
            size=(self._side, self._side),
        )

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        observer = observer or Silent()
        observer.start("denoise", sum(self._steps(request) for request in requests))
        return [self._draw(request, observer) for request in requests]

    def _draw(self, request: GenerationRequest, observer: Observer) -> Image:
        guidance = self.spec.guidance if request.guidance is None else request.guidance
        if not math.isfinite(guidance):
            raise InputError(f"a guidance that is a number was expected; got {guidance}")
        words = re.findall(r"\w+", request.text.lower()) or [""]
        stripes = np.linspace(0, len(words), self._side, endpoint=False).astype(int)
        colours = np.stack([_colour(word) for word in words])[stripes]
        picture = np.tile(colours * guidance, (self._side, 1, 1))
        noise = np.random.default_rng(request.seed)  # one for each request: batches change nothing
        for _ in range(self._steps(request)):
            check_cancelled(observer)
            picture += noise.normal(0, 8, picture.shape)
            observer.advance("denoise")
        return Image(np.clip(128 + picture, 0, 255).astype(np.uint8))

    def _steps(self, request: GenerationRequest) -> int:
        steps = self.spec.steps if request.steps is None else request.steps
        if steps < 1:
            raise InputError(f"at least one step was expected; got {steps}")
        return steps


def _colour(word: str) -> NDArray[np.float64]:
    """-96 to 95, shape (3,); by hashlib, as Python's own hash of text changes with the process."""
    digest = hashlib.sha256(word.encode()).digest()
    return np.frombuffer(digest[:3], np.uint8).astype(np.float64) * 0.75 - 96
