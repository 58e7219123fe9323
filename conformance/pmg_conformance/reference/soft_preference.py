"""E_m without training: the mean of the prompt's words, as L equal tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pmg_conformance.reference.world import SPACE, meaning
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import SoftPreferenceEncoder

__all__ = ["ReferenceSoftPreferenceEncoder"]


class ReferenceSoftPreferenceEncoder(SoftPreferenceEncoder):
    """Args: length: L, the number of tokens; space: to claim, for tests of what must not mix."""

    def __init__(self, *, length: int = 2, space: str = SPACE) -> None:
        self._length = length
        self._space = space

    @property
    def space(self) -> str:
        return self._space

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        means = [meaning(prompt).mean(axis=0) for prompt in prompts]
        return [Conditioning(np.tile(mean, (self._length, 1)), self._space) for mean in means]
