"""What a generator that can train does: targets of media, losses, and gradients of conditionings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.samples import TEXTS
from pmg_conformance.work import Work
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import TrainingLoss

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = ["TRAINING_TOLERANCE", "Entry", "loss", "training_works"]

TRAINING_TOLERANCE = 1e-2
"""Largest relative difference of targets, losses and gradients that should be equal: a backward pass
multiplies what rounding does to embeddings, and an optimizer notices neither."""

SEEDS = (11, 2**40, 4)
"""Of the entries: in no order and without a rule, as those of a training are."""


class Entry(NamedTuple):
    """One of a batch to train on."""

    conditioning: Conditioning
    target: NDArray[np.float32]
    seed: int


def loss(adapter: Any, entries: Sequence[Entry], **options: Any) -> TrainingLoss:
    """`training_loss` of entries."""
    made: TrainingLoss = adapter.training_loss(
        [entry.conditioning for entry in entries],
        [entry.target for entry in entries],
        [entry.seed for entry in entries],
        **options,
    )
    return made


def training_works(subject: Subject) -> tuple[Work, ...]:
    """The methods of `SupportsTraining`, the first on media, the others on entries."""
    adapter, media = subject.adapter, subject.media(3)
    texts = TEXTS[: len(media)]
    conditionings = adapter.text_encoder.encode(list(texts))
    targets = adapter.training_targets(media)
    entries = tuple(map(Entry, conditionings, targets, SEEDS))
    return (
        Work(
            "training_targets",
            tuple(media),
            lambda made, items: made.training_targets(items),
            TRAINING_TOLERANCE,
        ),
        Work("training_loss", entries, _values, TRAINING_TOLERANCE),
        Work("gradients", entries, lambda made, items: loss(made, items).gradients, TRAINING_TOLERANCE),
    )


def _values(made: Any, entries: Sequence[Entry]) -> list[NDArray[np.float32]]:
    values = loss(made, entries, gradients=False).values
    return [values[place : place + 1] for place in range(len(values))]
