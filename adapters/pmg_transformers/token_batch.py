"""Prompts as rows of token ids: the common prefix apart, the rest padded on the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["PaddedRows", "common_prefix"]


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """How many leading tokens all rows share, leaving every row at least one token of its own."""
    shortest = min(len(row) for row in rows)
    first = rows[0]
    for position in range(shortest - 1):
        if any(row[position] != first[position] for row in rows):
            return position
    return shortest - 1


@dataclass(frozen=True, eq=False)
class PaddedRows:
    """Rows behind a shared prefix of `prefix` tokens.

    Attributes:
        tokens: int64, shape (rows, longest), padded on the left.
        mask: int64, shape (rows, prefix + longest); 0 marks padding.
        positions: int64, shape (rows, longest). Padding shifts no token: without these the
            position of a token would depend on the longest row of its batch.
    """

    tokens: torch.Tensor
    mask: torch.Tensor
    positions: torch.Tensor

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], *, prefix: int, pad: int, device: str) -> PaddedRows:
        """Pad the rows; each holds at least one token."""
        import torch

        longest = max(len(row) for row in rows)
        tokens = torch.full((len(rows), longest), pad, dtype=torch.long)
        mask = torch.ones((len(rows), prefix + longest), dtype=torch.long)
        for index, row in enumerate(rows):
            tokens[index, longest - len(row) :] = torch.tensor(row, dtype=torch.long)
            mask[index, prefix : prefix + longest - len(row)] = 0
        positions = (mask.cumsum(-1) - 1)[:, prefix:].clamp(min=0)
        return cls(tokens.to(device), mask.to(device), positions.to(device))
