"""Scorers that are wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceScorer, ReferenceSoundScorer
from pmg_conformance.reference.world import SPACE, WIDTH, words
from pmg_sdk.audio import expect_audio
from pmg_sdk.media import Image, Media
from pmg_sdk.plugins import AdapterSpec


@mutant("scorer", "PMG-ANY-005")
class SwallowsOptions(ReferenceScorer):
    """Takes any option, and uses none."""

    def __init__(self, **options: Any) -> None:
        super().__init__()


@mutant("scorer", "PMG-ANY-013")
class SortsByBrightness(ReferenceScorer):
    """Batches media by their content and forgets to sort back."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return super().embed_media(sorted(media, key=lambda medium: float(medium.picture().pixels.mean())))


@mutant("scorer", "PMG-ANY-014")
class CentresTheBatch(ReferenceScorer):
    """Subtracts the mean of the batch from every row."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        rows = super().embed_media(media)
        return rows - np.float32(0.5) * rows.mean(axis=0) if len(rows) else rows


@mutant("scorer", "PMG-ANY-020")
class DropsOut(ReferenceScorer):
    """Leaves dropout on."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        rows = super().embed_media(media)
        return np.asarray(rows * np.random.default_rng().uniform(0.5, 1.5, rows.shape), np.float32)


@mutant("scorer", "PMG-ANY-025")
class RoundsAnew(ReferenceScorer):
    """Claims to be exact, and every call rounds another way, as sums of racing threads do."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rounding = np.float32(1 + 1e-6 * np.random.default_rng().uniform())
        return super().embed_text(texts) * rounding


@mutant("scorer", "PMG-ANY-026", before=ReferenceScorer)
class WasQuantised(ReferenceScorer):
    """Has weights of fewer bits than when its golden file was recorded."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(np.round(super().embed_text(texts) * 64) / 64, np.float32)


@mutant("scorer", "PMG-ANY-030")
class LogsTexts(ReferenceScorer):
    """Logs the texts that it scores, as information."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        logging.getLogger(__name__).info("scoring %r", list(texts))
        return super().embed_text(texts)


@mutant("scorer", "PMG-SCO-001")
class ReturnsDoubles(ReferenceScorer):
    """Returns float64 rows."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return super().embed_text(texts).astype(np.float64)


@mutant("scorer", "PMG-SCO-001")
class SkipsTheProjection(ReferenceScorer):
    """Returns media before they are projected to the width of texts."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        rows = super().embed_media(media)
        return np.concatenate([rows, rows], axis=1)


@mutant("scorer", "PMG-SCO-002")
class FlattensNothing(ReferenceScorer):
    """Returns an array of shape (0,) of nothing."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return super().embed_text(texts) if texts else np.zeros(0, np.float32)


@mutant("scorer", "PMG-SCO-003")
class RefusesLongTexts(ReferenceScorer):
    """Refuses what does not fit its encoder."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if any(len(words(text)) > 77 for text in texts):
            raise ValueError("sequence length must be less than max_position_embeddings")
        return super().embed_text(texts)


@mutant("scorer", "PMG-SCO-004")
class ForgetsOtherScripts(ReferenceScorer):
    """Divides by the number of letters that it knows."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        known = [sum(letter.isascii() and letter.isalpha() for letter in text) for text in texts]
        with np.errstate(divide="ignore", invalid="ignore"):
            return super().embed_text(texts) / np.array(known, np.float32)[:, None]


@mutant("scorer", "PMG-SCO-005")
class CropsASquare(ReferenceScorer):
    """Crops a square whose side is a multiple of four, of which a strip has none."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        cropped: list[Media] = []
        for medium in media:
            side = min(medium.picture().size) // 4 * 4
            cropped.append(Image(medium.picture().pixels[:side, :side]))
        return super().embed_media(cropped)


@mutant("scorer", "PMG-SCO-005")
class WantsAWholeWindow(ReferenceSoundScorer):
    """Refuses sounds shorter than one window of its encoder."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        if any(expect_audio(medium, "this scorer").seconds < 0.5 for medium in media):
            raise ValueError("kernel size is larger than the input")
        return super().embed_media(media)


@mutant("scorer", "PMG-SCO-006")
class ScalesPixelsTwice(ReferenceScorer):
    """Scales pixels to 0..1 ahead of a preprocessing that does the same, so that all are nearly black."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return super().embed_media([Image(medium.picture().pixels // 255) for medium in media])


@mutant("scorer", "PMG-SCO-006")
class SeesTheOpposite(ReferenceScorer):
    """Has the sign of its projection wrong."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return -super().embed_media(media)


@mutant("scorer", "PMG-SCO-007")
class StatesNoModality(ReferenceScorer):
    """Leaves its modality empty."""

    modality: ClassVar[str] = ""


@mutant(
    "scorer",
    "PMG-SCO-007",
    spec=AdapterSpec(
        "mutant", "scorer", "pmg_conformance.mutants.scorer:JudgesSomethingElse", modality="audio"
    ),
)
class JudgesSomethingElse(ReferenceScorer):
    """Is registered for audio and judges images."""


@mutant("scorer", "PMG-ANY-023", named=True)
class HashesItsSpace(ReferenceScorer):
    """Turns its axes around by Python's own hash of a name, which differs in every process."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return super().embed_text(texts) * self._signs

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return super().embed_media(media) * self._signs

    @property
    def _signs(self) -> NDArray[np.float32]:
        random = np.random.default_rng(hash(SPACE) % 2**32)
        return np.asarray(random.choice([-1, 1], WIDTH), np.float32)
