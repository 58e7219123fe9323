"""Forward and backward of a loss as one CUDA graph: no Python between its kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["Captured"]


class Captured:
    """Calling it computes the loss of a batch and leaves the gradients in `parameters`, overwriting the last.

    The graph reads the memory it was captured with: a batch is copied there, weights must be changed in
    place, and gradients must not be set to None.

    Args:
        loss_of: the loss of a batch; draws no random numbers.
        batch: an example, of the shapes and layouts of all to come.
        parameters: what the gradients are taken for.
    """

    def __init__(
        self, loss_of: Callable[..., Tensor], batch: Sequence[Tensor], parameters: Sequence[nn.Parameter]
    ) -> None:
        self._batch = tuple(batch)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # what kernels choose and allocate at first must not be captured
            for _ in range(3):
                loss_of(*self._batch).backward()
        torch.cuda.current_stream().wait_stream(side)
        for parameter in parameters:
            parameter.grad = None
        self._graph = torch.cuda.CUDAGraph()
        # Other threads, such as NCCL's watchdog, may ask the device things meanwhile.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._loss = loss_of(*self._batch)
            self._loss.backward()

    def __call__(self, *batch: Tensor) -> Tensor:
        for into, value in zip(self._batch, batch, strict=True):
            into.copy_(value)
        self._graph.replay()
        return self._loss.detach()
