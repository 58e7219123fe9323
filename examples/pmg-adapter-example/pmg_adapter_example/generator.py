"""Bouquets: a picture of what somebody likes, drawn with numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from pmg_adapter_example.flowers import SPACE, FlowerEncoder
from pmg_sdk import Conditioning, GenerationRequest, Generator, GeneratorSpec, Image, Media, Observer
from pmg_sdk.errors import GenerationError, InputError, OutOfMemory, SpaceMismatch
from pmg_sdk.progress import Silent, check_cancelled

__all__ = ["BouquetGenerator"]


class BouquetGenerator(Generator):
    """Every keyword is a flower, and grows as often as its weight says; the seed decides where.

    Args:
        side: of the square picture, in pixels.
    """

    text_encoder = FlowerEncoder()

    def __init__(self, *, side: int = 192) -> None:
        if not 16 <= side <= 4096:
            raise InputError(f"a side of 16 to 4096 pixels was expected; got {side}")
        self._side = side
        self._canvas: Callable[[tuple[int, int, int]], NDArray[np.float64]] = np.ones

    @property
    def spec(self) -> GeneratorSpec:
        return GeneratorSpec("image", "sequence", SPACE, steps=8, guidance=1.5, size=(self._side, self._side))

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        observer = observer or Silent()
        observer.start("denoise", sum(self._steps(request) for request in requests))
        return [self._draw(request, observer) for request in requests]

    def _draw(self, request: GenerationRequest, observer: Observer) -> Image:
        flowers, weights = _read(request.conditioning)
        away = np.zeros(7)  # the empty text
        if request.negative is not None:
            unwanted, shares = _read(request.negative)
            away = shares @ unwanted
        guidance = self.spec.guidance if request.guidance is None else request.guidance
        if not np.isfinite(guidance):
            raise InputError(f"a guidance that is a number was expected; got {guidance}")
        flowers = away + guidance * (flowers - away)
        noise = np.random.default_rng(request.seed)
        try:
            canvas = self._canvas((self._side, self._side, 3))
            for _ in range(self._steps(request)):
                check_cancelled(observer)
                for number in noise.choice(len(flowers), size=9, p=weights):
                    _plant(canvas, flowers[number], noise)
                observer.advance("denoise")
        except MemoryError as error:
            raise OutOfMemory(f"a canvas of {self._side} px does not fit; ask for a smaller side") from error
        return Image((255 * canvas).astype(np.uint8))

    def _steps(self, request: GenerationRequest) -> int:
        steps = self.spec.steps if request.steps is None else request.steps
        if steps < 1:
            raise InputError(f"at least one step was expected; got {steps}")
        return steps

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Run out of memory on purpose: this lets conformance see what is done about it."""

        def full(*_: object) -> NDArray[np.float64]:
            raise MemoryError(kind)

        before, self._canvas = self._canvas, full
        try:
            yield
        finally:
            self._canvas = before


def _read(conditioning: Conditioning | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flowers, shape (tokens, 7), and their shares of the bouquet, which sum to 1."""
    if conditioning is None or conditioning.space != SPACE:
        raise SpaceMismatch(f"a conditioning of space {SPACE!r} was expected; got {conditioning!r}")
    tokens = conditioning.embeds.astype(np.float64)
    if not np.isfinite(tokens).all():
        raise GenerationError("the conditioning holds values that are no numbers")
    weights = np.maximum(tokens[:, 7], 1e-6)
    return tokens[:, :7] / weights[:, None], weights / weights.sum()


def _plant(canvas: NDArray[np.float64], flower: NDArray[np.float64], noise: np.random.Generator) -> None:
    """Paint one flower over what is there: r < size * (0.6 + sum of a_k cos k theta)."""
    x, y, turn = noise.uniform(-0.8, 0.8), noise.uniform(-0.8, 0.8), noise.uniform(0, 2 * np.pi)
    size = noise.uniform(0.15, 0.35)
    rows, columns = (axis / len(canvas) * 2 - 1 for axis in np.ogrid[: len(canvas), : len(canvas)])
    radius, theta = np.hypot(columns - x, rows - y), np.arctan2(rows - y, columns - x) + turn
    edge = 0.6 + sum(a * np.cos(k * theta) for k, a in zip((3, 5, 6, 8), flower[3:], strict=True))
    colour = np.clip(0.5 + flower[:3], 0, 1)
    canvas[radius < size * np.maximum(edge, 0.2)] = colour
    canvas[radius < size * 0.18] = colour * 0.4 + 0.6 * (colour.mean() < 0.5)  # the heart, light or dark
