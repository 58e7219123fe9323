"""Captioners that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceCaptioner, ReferenceSoundCaptioner
from pmg_sdk.audio import expect_audio
from pmg_sdk.media import Image, Media
from pmg_sdk.plugins import AdapterSpec
from pmg_sdk.progress import Observer


@mutant("captioner", "PMG-ANY-001")
class IsNoCaptioner:
    """Has the methods, but does not subclass the interface."""

    modality = "image"

    def __init__(self) -> None:
        self._real = ReferenceCaptioner()

    def load(self, observer: Observer | None = None) -> None:
        self._real.load(observer)

    def caption(self, media: Sequence[Media]) -> list[str]:
        return self._real.caption(media)


@mutant("captioner", "PMG-ANY-006")
class LoadsAnew(ReferenceCaptioner):
    """Every load shuffles its weights, as if they were initialised again."""

    def load(self, observer: Observer | None = None) -> None:
        known = self._weights
        super().load(observer)
        if known is not None:
            self._weights = np.roll(known, 1, axis=0)

    def caption(self, media: Sequence[Media]) -> list[str]:
        if self._weights is None:
            self.load()
        return [self._nearest(medium.picture().pixels.mean(axis=(0, 1))) for medium in media]


@mutant("captioner", "PMG-ANY-015")
class PaintsOnItsInput(ReferenceCaptioner):
    """Normalises pictures in place."""

    def caption(self, media: Sequence[Media]) -> list[str]:
        captions = super().caption(media)
        for medium in media:
            medium.picture().pixels[0, 0] = 0
        return captions


@mutant("captioner", "PMG-ANY-040")
class KeepsEverything(ReferenceCaptioner):
    """Caches features without a bound."""

    def __init__(self) -> None:
        super().__init__()
        self._cache: list[Any] = []

    def caption(self, media: Sequence[Media]) -> list[str]:
        self._cache.append(np.ones(2**20))  # 8 MiB
        return super().caption(media)


@mutant("captioner", "PMG-ANY-021")
class RepeatsItself(ReferenceCaptioner):
    """Mentions the last caption of the call before."""

    last = ""

    def caption(self, media: Sequence[Media]) -> list[str]:
        captions = [f"{caption}{self.last}" for caption in super().caption(media)]
        self.last = f", unlike {captions[-1].partition(',')[0]}" if captions else ""
        return captions


@mutant("captioner", "PMG-CAP-001")
class BreaksTheLine(ReferenceCaptioner):
    """Ends a caption with a second line."""

    def caption(self, media: Sequence[Media]) -> list[str]:
        return [f"{caption}\n- a picture" for caption in super().caption(media)]


@mutant("captioner", "PMG-CAP-001")
class SaysNothing(ReferenceCaptioner):
    """Has no words for what is red."""

    def caption(self, media: Sequence[Media]) -> list[str]:
        return [caption.replace("red", "") for caption in super().caption(media)]


@mutant("captioner", "PMG-CAP-001")
class Rambles(ReferenceCaptioner):
    """Goes on until the longest answer that its model can give."""

    def caption(self, media: Sequence[Media]) -> list[str]:
        return [" ".join([caption] * 100) for caption in super().caption(media)]


@mutant("captioner", "PMG-CAP-002")
class StatesNoModality(ReferenceCaptioner):
    """Leaves its modality empty."""

    modality: ClassVar[str] = ""


@mutant(
    "captioner",
    "PMG-CAP-002",
    spec=AdapterSpec(
        "mutant", "captioner", "pmg_conformance.mutants.captioner:ReadsSomethingElse", modality="audio"
    ),
)
class ReadsSomethingElse(ReferenceCaptioner):
    """Is registered for audio and reads images."""


@mutant("captioner", "PMG-CAP-003", declared=frozenset({"exact", "threads"}))
class WantsOneChannel(ReferenceSoundCaptioner):
    """Was never given stereo."""

    def caption(self, media: Sequence[Media]) -> list[str]:
        for medium in media:
            (_,) = expect_audio(medium, "this captioner").samples
        return super().caption(media)


@mutant("captioner", "PMG-CAP-003")
class WantsPatches(ReferenceCaptioner):
    """Refuses pictures smaller than one patch of its encoder."""

    def caption(self, media: Sequence[Media]) -> list[str]:
        for medium in media:
            if isinstance(medium, Image) and min(medium.size) < 14:
                raise ValueError("kernel size is larger than the input")
        return super().caption(media)
