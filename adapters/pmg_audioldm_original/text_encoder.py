"""The CLAP text tower of an AudioLDM checkpoint: one vector a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pmg_audioldm_original.process import WorkerProcess
from pmg_sdk.accelerator import in_batches
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import TextEncoder
from pmg_sdk.tokenizable import tokenizable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Loaded", "WorkerTextEncoder"]

BATCH = 64
"""Texts in one forward; a text is at most a few hundred tokens."""


class Loaded:
    """A worker that has loaded a checkpoint.

    Attributes:
        width: of its vectors; `max_tokens`: of the longest text; `rate`: of what it makes, Hz.
    """

    def __init__(self, process: WorkerProcess, width: int, max_tokens: int, rate: int) -> None:
        self.process = process
        self.width = width
        self.max_tokens = max_tokens
        self.rate = rate


class WorkerTextEncoder(TextEncoder):
    """Encodes in the worker of the generator it belongs to.

    Args:
        space: as the generator's.
        loaded: gives the worker, started and loaded.
    """

    def __init__(self, space: str, loaded: Callable[[], Loaded]) -> None:
        self._space = space
        self._loaded = loaded

    @property
    def space(self) -> str:
        return self._space

    @property
    def max_tokens(self) -> int:
        return self._loaded().max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        found, _ = self._loaded().process.ask({"is": "count", "texts": self._sent(texts)})
        return [int(count) for count in found["tokens"]]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """A pooled vector of length 1 for every text, in order, and no tokens.

        Raises:
            BackendError, OutOfMemory: the worker failed.
        """
        rows = in_batches(self._sent(texts), self._rows, limit=BATCH) if texts else []
        none = np.zeros((0, len(rows[0]) if rows else 0), dtype=np.float32)
        return [Conditioning(none, self._space, row) for row in rows]

    def _rows(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        _, arrays = self._loaded().process.ask({"is": "encode", "texts": list(texts)})
        return list(np.asarray(arrays["rows"], dtype=np.float32))

    def _sent(self, texts: Sequence[str]) -> list[str]:
        return [tokenizable(text, tokens=self.max_tokens) for text in texts]
