"""The processes that train one model together, one a GPU; without torchrun there is one."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["Team"]


class Team:
    """Who trains: `rank` of `size`, on `device`.

    Every process keeps the whole model and a share of the data, and steps along the mean gradient, so
    weights stay equal as long as they start equal and take equal learning rates.
    """

    def __init__(self) -> None:
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available()
        self.device = (
            torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        )
        if cuda:
            torch.cuda.set_device(self.device)
        if self.size > 1:
            dist.init_process_group("nccl" if cuda else "gloo")

    def part(self) -> None:
        """End the team; every process calls it once it is done."""
        if self.size > 1:
            dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this is the process that logs and writes."""
        return self.rank == 0

    def agree(self, value: float) -> float:
        """The leader's `value`, the same for all; a clock, for example, that all go by."""
        if self.size == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return float(told)

    @torch.no_grad()
    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the team, in one message."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        message = torch.cat([_flat(gradient) for gradient in gradients])
        dist.all_reduce(message)
        parts = (message / self.size).split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            _flat(gradient).copy_(part)


def _flat(tensor: Tensor) -> Tensor:
    """The elements in memory order, as a view: channels-last kernels are dense but not contiguous."""
    return tensor.as_strided((tensor.numel(),), (1,))
