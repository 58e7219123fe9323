"""E_m without training: the mean of the prompt's words, as L equal tokens or as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pmg_conformance.reference.world import SPACE, WIDTH, meaning
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import ConditioningKind, SoftPreferenceEncoder

__all__ = ["ReferenceSoftPreferenceEncoder"]


class ReferenceSoftPreferenceEncoder(SoftPreferenceEncoder):
    """For generators that take tokens, or one vector.

    Args:
        length: L, the number of tokens.
        space: to claim, for tests of what must not mix.
        conditioning: "sequence" or "pooled", as of the generators it is for.
    """

    def __init__(
        self, *, length: int = 2, space: str = SPACE, conditioning: ConditioningKind = "sequence"
    ) -> None:
        self._length = length
        self._space = space
        self._conditioning = conditioning

    @property
    def space(self) -> str:
        return self._space

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        means = [meaning(prompt).mean(axis=0) for prompt in prompts]
        if self._conditioning == "pooled":
            return [Conditioning(np.zeros((0, WIDTH), np.float32), self._space, mean) for mean in means]
        return [Conditioning(np.tile(mean, (self._length, 1)), self._space) for mean in means]
