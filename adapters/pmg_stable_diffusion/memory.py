"""Work in batches that shrink when memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

from pmg_sdk.errors import OutOfMemory

__all__ = ["in_batches"]

T = TypeVar("T")
R = TypeVar("R")


def in_batches(items: Sequence[T], size: int | None, work: Callable[[Sequence[T]], Sequence[R]]) -> list[R]:
    """`work` over all items, in order, at most `size` at a time; the size is halved whenever memory runs out.

    Raises:
        OutOfMemory: not even a batch of one fits.
    """
    size = size or max(len(items), 1)
    done: list[R] = []
    while len(done) < len(items):
        batch = items[len(done) : len(done) + size]
        shortage = None
        try:
            done += work(batch)
        except Exception as error:  # backends raise RuntimeError, MemoryError and their own kinds
            if not _is_shortage(error):
                raise
            shortage = str(error).splitlines()[0]
        # Outside the except block the failed batch's tensors are no longer held by the traceback.
        if shortage is not None:
            _release()
            if len(batch) == 1:
                raise OutOfMemory(
                    f"a batch of one does not fit into the device's memory ({shortage}). "
                    "Choose a smaller size, a half-precision dtype, or another device."
                )
            size = (len(batch) + 1) // 2
    return done


def _is_shortage(error: Exception) -> bool:
    import torch

    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _release() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
