"""What depends on the machine a model runs on: which device, how precise, and how much fits at once.

For adapters around torch; torch itself is imported only when one of them calls.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pmg_sdk.errors import ConfigError, OutOfMemory

if TYPE_CHECKING:
    import torch

__all__ = [
    "check_batch_size",
    "check_dtype",
    "choose_device",
    "choose_dtype",
    "in_batches",
    "is_out_of_memory",
]

DTYPES = ("auto", "float32", "float16", "bfloat16")

T = TypeVar("T")
R = TypeVar("R")


def choose_device(device: str = "auto") -> str:
    """The name of a torch device: "auto" takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        ConfigError: the device is not one torch knows, or this machine does not have it.
    """
    import torch

    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if has_cuda else "mps" if has_mps else "cpu"
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ConfigError(
            f'device: expected "auto", "cpu", "cuda", "cuda:N" or "mps"; got {device!r}'
        ) from error
    if (kind == "cuda" and not has_cuda) or (kind == "mps" and not has_mps):
        raise ConfigError(
            f'device {device!r} was asked for, but torch finds none on this machine; use "auto"'
        )
    return device


def check_dtype(dtype: str) -> None:
    """Refuse what no model can be loaded as, before one is.

    Raises:
        ConfigError: it is neither "auto" nor the name of a floating point type of torch.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"dtype: expected one of {', '.join(DTYPES)}; got {dtype!r}")


def choose_dtype(dtype: str, device: str, *, half: str = "float16") -> torch.dtype:
    """The dtype of a model's weights on a device: "auto" takes half precision on CUDA, else float32.

    Half precision halves time and memory on CUDA. It is slow on CPUs, and MPS does not have all of it.

    Args:
        half: which half precision the kind of model is used to.

    Raises:
        ConfigError: see `check_dtype`.
    """
    import torch

    check_dtype(dtype)
    if dtype == "auto":
        dtype = half if torch.device(device).type == "cuda" else "float32"
    chosen: torch.dtype = getattr(torch, dtype)
    return chosen


def check_batch_size(batch_size: int) -> None:
    """Refuse an empty batch, before anything is loaded.

    Raises:
        ConfigError: it is below 1.
    """
    if batch_size < 1:
        raise ConfigError(f"batch_size: expected 1 or more; got {batch_size}")


def in_batches(items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]], *, limit: int) -> list[R]:
    """`run` over all items in order, at most `limit` at once, fewer where memory runs out.

    A batch that does not fit is halved and tried again; later batches keep the smaller size.

    Args:
        run: gives one result for every item of the batch.

    Raises:
        OutOfMemory: not even one item fits.
    """
    results: list[R] = []
    while len(results) < len(items):
        batch = items[len(results) : len(results) + limit]
        failed: str | None = None
        try:
            results.extend(run(batch))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            failed = str(error).partition("\n")[0]
        if failed is None:
            continue
        # Outside the handler: the traceback, and with it the batch's tensors, is gone.
        _free_memory()
        if len(batch) == 1:
            raise OutOfMemory(
                f"the device is out of memory with a batch of one ({failed}); "
                f"free memory, or choose another device or a smaller model"
            )
        limit = len(batch) // 2
    return results


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the machine itself, had no memory left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
