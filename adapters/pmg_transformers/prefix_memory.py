"""Attention states of prompt prefixes, computed once and used again.

Within a batch the shared prefix (principle, examples, history) is computed for one row and
expanded to all. Between calls the newest prefixes are kept, so that the part which is the same
for every user of a scenario costs nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pmg_sdk.errors import ModelFolderError

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache

__all__ = ["Prefix", "PrefixMemory"]


@dataclass(frozen=True, eq=False)
class Prefix:
    """Keys and values of some tokens: one pair per layer, each of shape (1, heads, tokens, width)."""

    tokens: tuple[int, ...]
    states: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @classmethod
    def of(cls, tokens: Sequence[int], cache: DynamicCache) -> Prefix:
        """The states of a cache of one row that holds exactly these tokens.

        Raises:
            ModelFolderError: the model keeps another state than keys and values.
        """
        states = []
        for layer in cache.layers:
            key, value = getattr(layer, "keys", None), getattr(layer, "values", None)
            if key is None or value is None:
                raise ModelFolderError(
                    "a model whose layers all attend was expected; this one is recurrent at least in part. "
                    "Choose a plain decoder such as LLaMA, Qwen, Mistral or SmolLM."
                )
            states.append((key, value))
        return cls(tuple(tokens), tuple(states))

    @property
    def nbytes(self) -> int:
        """Memory the states take."""
        return sum(key.nbytes + value.nbytes for key, value in self.states)

    def first(self, tokens: int) -> Prefix:
        """The first `tokens` tokens, with states of their own: a view would keep all of them in memory."""
        states = tuple(
            (key[:, :, :tokens].clone(), value[:, :, :tokens].clone()) for key, value in self.states
        )
        return Prefix(self.tokens[:tokens], states)

    def shared_with(self, tokens: Sequence[int]) -> int:
        """How many leading tokens are the same."""
        count = 0
        for ours, theirs in zip(self.tokens, tokens, strict=False):
            if ours != theirs:
                break
            count += 1
        return count

    def cache(self, rows: int, tokens: int) -> DynamicCache:
        """A cache of `rows` equal rows that hold the first `tokens` tokens."""
        from transformers import DynamicCache

        cache = DynamicCache()
        for layer, (key, value) in enumerate(self.states):
            part = [state[:, :, :tokens].expand(rows, -1, -1, -1) for state in (key, value)]
            cache.update(part[0], part[1], layer)
        return cache


class PrefixMemory:
    """The newest prefixes, as many as fit into `budget` bytes.

    Args:
        budget: bytes; 0 remembers nothing between calls.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: list[Prefix] = []

    def get(self, tokens: Sequence[int], compute: Callable[[Prefix | None, int], Prefix]) -> Prefix:
        """The states of exactly these tokens.

        Args:
            compute: given the kept prefix that shares most with `tokens` and how much it shares
                (None and 0 where nothing does), computes the rest.
        """
        best = max(self._kept, key=lambda kept: kept.shared_with(tokens), default=None)
        shared = best.shared_with(tokens) if best is not None else 0
        if best is not None and shared == len(tokens) == len(best.tokens):
            found = best
        else:
            found = compute(best if shared else None, shared)
        self._keep(found)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def _keep(self, newest: Prefix) -> None:
        # What the newest contains as its own beginning needs no place beside it.
        others = [kept for kept in self._kept if kept.shared_with(newest.tokens) < len(kept.tokens)]
        self._kept = []
        room = self._budget
        for prefix in [newest, *others]:
            room -= prefix.nbytes
            if room < 0:
                break
            self._kept.append(prefix)
