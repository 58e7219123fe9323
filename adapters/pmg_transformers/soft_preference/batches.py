"""Which examples a step sees and under which conditions: a function of recipe and step alone.

So a run that was interrupted sees what it would have seen, and several processes see together what one would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import CapabilityError
from pmg_sdk.interfaces import ConditioningKind, TextEncoder
from pmg_sdk.training.examples import TrainingExample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pmg_transformers.soft_preference.recipe import Recipe

__all__ = ["Drawn", "KeywordCache", "order", "train_batch", "validation_batch"]

VALIDATION_STEP = 2**31
"""Stands for the step in the seeds of validation: no step of training shares them."""


@dataclass(frozen=True)
class Drawn:
    """An example of a batch.

    Attributes:
        place: its place in the list of examples.
        with_preference, with_target: whether k^p and k^t condition beside E_m.
        seed: of its noises.
    """

    place: int
    with_preference: bool
    with_target: bool
    seed: int


def train_batch(recipe: Recipe, step: int, count: int) -> list[Drawn]:
    """The whole batch of a step, over all processes: epochs in an order of their own, one after another."""
    start = step * recipe.batch
    places = [divmod(start + index, count) for index in range(recipe.batch)]
    return [
        _drawn(recipe, step, index, int(order(recipe.seed, epoch, count)[place]))
        for index, (epoch, place) in enumerate(places)
    ]


def validation_batch(recipe: Recipe, count: int) -> list[Drawn]:
    """Every example once, with the same noises and conditions each time."""
    return [_drawn(recipe, VALIDATION_STEP, place, place) for place in range(count)]


@lru_cache(maxsize=4)
def order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """A permutation of `count` examples."""
    return np.random.default_rng([seed, epoch, count]).permutation(count)


def _drawn(recipe: Recipe, step: int, index: int, place: int) -> Drawn:
    digest = hashlib.sha256(f"pmg-train:{recipe.seed}:{step}:{index}".encode()).digest()
    keep_preference, keep_target = (int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in (4, 8))
    return Drawn(
        place,
        keep_preference < recipe.keyword_share,
        keep_target < recipe.target_share,
        int.from_bytes(digest[:4], "big"),
    )


class KeywordCache:
    """E_k and E^t of all examples, encoded once: the same keywords come again and again.

    Args:
        encoder: of the generator's text space.
        examples: all that will be asked for.
    """

    def __init__(self, encoder: TextEncoder, examples: Sequence[TrainingExample]) -> None:
        texts = sorted({"", *(text for e in examples for text in (e.preference.text, e.target.text))})
        self._known: Mapping[str, Conditioning] = dict(zip(texts, encoder.encode(texts), strict=True))

    def of(self, example: TrainingExample, drawn: Drawn) -> list[Conditioning]:
        """What conditions beside E_m, in the order of the pipeline: E_k, then E^t."""
        asked = ((example.preference.text, drawn.with_preference), (example.target.text, drawn.with_target))
        return [self._known[text] for text, wanted in asked if wanted and text]

    def alone(self, example: TrainingExample, drawn: Drawn) -> list[Conditioning]:
        """What conditions without E_m. Something must: where nothing was drawn k^p, or the empty text."""
        return (
            self.of(example, drawn)
            or self.of(example, replace(drawn, with_preference=True))
            or [self._known[""]]
        )

    def known(self, kind: ConditioningKind) -> NDArray[np.float32]:
        """Every token, or for "pooled" every vector, shape (n, width): what the text space looks like.

        Raises:
            CapabilityError: the text encoder gives none.
        """
        known = self._known.values()
        if kind == "pooled":
            rows = [each.pooled for each in known if each.pooled is not None]
            if len(rows) < len(known):
                raise CapabilityError(
                    "a text encoder that gives a pooled vector was expected, which is all that the generator "
                    "takes; got one that gives none"
                )
            return np.stack(rows)
        return np.concatenate([each.embeds for each in known])
