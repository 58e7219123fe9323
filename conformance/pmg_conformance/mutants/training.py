"""Generators that are wrong in training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceGenerator
from pmg_conformance.reference.world import SPACE
from pmg_conformance.training import Entry
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import GenerationRequest, TrainingLoss
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer

Floats = NDArray[np.float32]


class _Trains(ReferenceGenerator):
    """The reference, with what goes into a loss and what comes out of it in a method each."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        """What the loss is made of."""
        return entries

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        """What is returned."""
        return loss

    def training_loss(
        self,
        conditionings: Sequence[Conditioning],
        targets: Sequence[Floats],
        seeds: Sequence[int],
        *,
        draws: int = 1,
        gradients: bool = True,
    ) -> TrainingLoss:
        entries = self.given(list(map(Entry, conditionings, targets, seeds)))
        loss = super().training_loss(
            [entry.conditioning for entry in entries],
            [entry.target for entry in entries],
            [entry.seed for entry in entries],
            draws=draws,
            gradients=gradients,
        )
        return self.made(loss)


def _showing(entry: Entry, **parts: Any) -> Entry:
    """The entry, with another part of its conditioning."""
    return entry._replace(conditioning=dataclasses.replace(entry.conditioning, **parts))


def _changed(loss: TrainingLoss, change: Callable[[Floats], Floats]) -> TrainingLoss:
    """The loss, every gradient changed."""
    gradients = [
        dataclasses.replace(
            each,
            embeds=change(each.embeds),
            pooled=None if each.pooled is None else change(each.pooled),
        )
        for each in loss.gradients
    ]
    return TrainingLoss(loss.values, tuple(gradients))


@mutant("generator", "PMG-ANY-013")
class SortsItsEntries(_Trains):
    """Trains on long conditionings first, and does not sort their losses back."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        return sorted(entries, key=lambda entry: -entry.conditioning.tokens)


@mutant("generator", "PMG-ANY-014")
class SeedsTheBatch(_Trains):
    """Draws the noise of all entries from the seed of the first."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        return [entry._replace(seed=entries[0].seed + place) for place, entry in enumerate(entries)]


@mutant("generator", "PMG-ANY-015")
class CentresTargetsInPlace(_Trains):
    """Subtracts the mean of a target from the target itself."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        for entry in entries:
            entry.target[:] -= entry.target.mean()
        return entries


@mutant("generator", "PMG-ANY-020")
class SamplesItsTargets(ReferenceGenerator):
    """Samples the autoencoder's distribution where its mean is meant."""

    def training_targets(self, media: Sequence[Media]) -> list[Floats]:
        noise = np.random.default_rng()
        return [each + noise.normal(0, 0.1, 8).astype(np.float32) for each in super().training_targets(media)]


@mutant("generator", "PMG-GEN-021")
class TargetsOfEverySize(ReferenceGenerator):
    """Makes targets as large as their media."""

    def training_targets(self, media: Sequence[Media]) -> list[Floats]:
        return [medium.picture().pixels.astype(np.float32) for medium in media]


@mutant("generator", "PMG-GEN-021")
class TargetsInDoublePrecision(ReferenceGenerator):
    """Keeps targets in float64, twice as large."""

    def training_targets(self, media: Sequence[Media]) -> list[Any]:
        return [each.astype(np.float64) for each in super().training_targets(media)]


@mutant("generator", "PMG-GEN-022")
class AveragesTheBatch(_Trains):
    """Returns the mean loss of the batch."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return TrainingLoss(np.asarray(loss.values.mean()), loss.gradients)


@mutant("generator", "PMG-GEN-022")
class SubtractsABaseline(_Trains):
    """Returns how much worse a loss is than usual, which may be less than nothing."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return TrainingLoss(loss.values - np.float32(10), loss.gradients)


@mutant("generator", "PMG-GEN-023")
class LosesThePooledGradient(_Trains):
    """Returns gradients of tokens alone."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        gradients = [dataclasses.replace(each, pooled=None) for each in loss.gradients]
        return TrainingLoss(loss.values, tuple(gradients))


@mutant("generator", "PMG-GEN-023")
class AddsUpItsTokens(_Trains):
    """Returns one gradient for all tokens."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return _changed(loss, lambda part: part.sum(axis=0, keepdims=True) if part.ndim == 2 else part)


@mutant("generator", "PMG-GEN-024")
class AlwaysDifferentiates(ReferenceGenerator):
    """Returns gradients that nobody asked for."""

    def training_loss(self, *entries: Any, draws: int = 1, gradients: bool = True) -> TrainingLoss:
        return super().training_loss(*entries, draws=draws)


@mutant("generator", "PMG-GEN-024")
class ScalesWhatItDifferentiates(_Trains):
    """Scales the loss against underflow before the backward pass, and returns it scaled."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return TrainingLoss(loss.values * np.float32(128 if loss.gradients else 1), loss.gradients)


@mutant("generator", "PMG-GEN-025")
class TrainsWithoutText(_Trains):
    """Shows the model an empty conditioning."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        return [_showing(entry, embeds=np.zeros_like(entry.conditioning.embeds)) for entry in entries]


@mutant("generator", "PMG-GEN-025")
class TrainsWithoutTargets(_Trains):
    """Compares with nothing."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        return [entry._replace(target=np.zeros_like(entry.target)) for entry in entries]


@mutant("generator", "PMG-GEN-026")
class TrainsOnOneNoise(ReferenceGenerator):
    """Draws the same noise for every seed."""

    def _blur(self, seed: int, draws: int) -> Floats:
        return super()._blur(0, draws)


@mutant("generator", "PMG-GEN-026")
class CutsTrainingSeeds(ReferenceGenerator):
    """Keeps the lower 32 bits of a seed in training."""

    def _blur(self, seed: int, draws: int) -> Floats:
        return super()._blur(seed % 2**32, draws)


@mutant("generator", "PMG-GEN-027")
class DrawsOnce(ReferenceGenerator):
    """Takes `draws`, and draws one noise."""

    def _blur(self, seed: int, draws: int) -> Floats:
        return super()._blur(seed, 1)


@mutant("generator", "PMG-GEN-027")
class DividesTwice(ReferenceGenerator):
    """Divides the mean of all draws by their number once more."""

    def training_loss(self, *entries: Any, draws: int = 1, gradients: bool = True) -> TrainingLoss:
        loss = super().training_loss(*entries, draws=draws, gradients=gradients)
        return TrainingLoss(loss.values / np.float32(draws), loss.gradients)


@mutant("generator", "PMG-GEN-028")
class PointsUphill(_Trains):
    """Returns the step to take where the gradient is asked for."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return _changed(loss, lambda part: -part)


@mutant("generator", "PMG-GEN-029")
class DifferentiatesTheMean(_Trains):
    """Differentiates the mean of the batch."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return _changed(loss, lambda part: part / np.float32(len(loss.values)))


@mutant("generator", "PMG-GEN-029")
class LearnsTheFirstToken(_Trains):
    """Cuts off the gradient of all tokens but the first."""

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        return _changed(loss, lambda part: part * (np.arange(len(part)) == 0).astype(np.float32)[:, None])


@mutant("generator", "PMG-GEN-030")
class TrainsInAnySpace(_Trains):
    """Does not compare spaces in training."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        return [_showing(entry, space=SPACE) for entry in entries]


@mutant("generator", "PMG-GEN-031")
class LearnsItself(_Trains):
    """Is not frozen: every loss moves its weights."""

    _moved = np.float32(0)

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        self._moved = (self._moved + np.float32(0.3)) % np.float32(1)
        return loss

    def _point(self, request: GenerationRequest) -> Floats:
        return np.asarray(super()._point(request) + self._moved)


@mutant("generator", "PMG-GEN-031")
class TrainsOnWhatItMade(_Trains):
    """Takes the last picture that it made for a part of what it is to learn."""

    _last = np.float32(0)

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = super().generate(requests, observer)
        self._last += np.float32(len(made))
        return made

    def given(self, entries: list[Entry]) -> list[Entry]:
        return [entry._replace(target=entry.target + self._last) for entry in entries]


@mutant("generator", "PMG-GEN-032")
class LearnsFromNan(_Trains):
    """Returns a loss that is no number."""

    def given(self, entries: list[Entry]) -> list[Entry]:
        self._hidden = [not np.isfinite(entry.conditioning.embeds).all() for entry in entries]
        return [_showing(entry, embeds=np.nan_to_num(entry.conditioning.embeds)) for entry in entries]

    def made(self, loss: TrainingLoss) -> TrainingLoss:
        values = np.where(self._hidden, np.float32(np.nan), loss.values)
        return TrainingLoss(values.astype(np.float32), loss.gradients)


class _NotMapped(Exception):
    """What a backend raises when memory is full."""


@mutant("generator", "PMG-GEN-033")
class RaisesTheBackendsErrorInTraining(ReferenceGenerator):
    """Lets the backend's error through where a loss does not fit."""

    def _blur(self, seed: int, draws: int) -> Floats:
        if self._full:
            raise _NotMapped("CUDA out of memory")
        return super()._blur(seed, draws)
