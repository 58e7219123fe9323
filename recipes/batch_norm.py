"""Batch-norm statistics that fit averaged weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["settle"]

_KINDS = (nn.BatchNorm1d, nn.BatchNorm2d)


@torch.no_grad()
def settle(model: nn.Module, draw: Callable[[], Tensor], times: int) -> None:
    """Replace the running statistics by the mean over `times` batches; leaves the model in training mode.

    Args:
        draw: gives a batch as the model takes it.
    """
    for module in model.modules():
        if isinstance(module, _KINDS):
            module.reset_running_stats()
            module.momentum = None
    model.train()
    for _ in range(times):
        model(draw())
