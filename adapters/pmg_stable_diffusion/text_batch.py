"""Conditionings of different lengths as one padded and masked batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pmg_sdk.conditioning import Conditioning

if TYPE_CHECKING:
    import torch

__all__ = ["TextBatch"]


@dataclass(frozen=True, eq=False)
class TextBatch:
    """What B images are conditioned on.

    Attributes:
        embeds: shape (B, tokens, width), zeros where padded.
        mask: bool, shape (B, tokens), True where a token is; None where nothing is padded.
        pooled: shape (B, pooled width), or None.

    A zero key still takes softmax mass in cross-attention, which is why padding is masked out.
    """

    embeds: torch.Tensor
    mask: torch.Tensor | None
    pooled: torch.Tensor | None

    @classmethod
    def stack(cls, parts: Sequence[Conditioning], device: torch.device, dtype: torch.dtype) -> TextBatch:
        """Pad every part to the longest. Pooled vectors are kept where all parts have one."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        rows = [torch.from_numpy(part.embeds) for part in parts]
        lengths = torch.tensor([len(row) for row in rows])
        longest = int(lengths.max())
        mask = torch.arange(longest) < lengths[:, None]
        vectors = [part.pooled for part in parts if part.pooled is not None]
        pooled = (
            torch.stack([torch.from_numpy(vector) for vector in vectors])
            if len(vectors) == len(parts)
            else None
        )
        return cls(
            embeds=pad_sequence(rows, batch_first=True).to(device, dtype),
            mask=None if bool(mask.all()) else mask.to(device),
            pooled=None if pooled is None else pooled.to(device, dtype),
        )

    def repeated(self, times: int, dtype: torch.dtype) -> TextBatch:
        """Every row `times` times in a row, as `dtype`."""
        return TextBatch(
            self.embeds.to(dtype).repeat_interleave(times, 0),
            None if self.mask is None else self.mask.repeat_interleave(times, 0),
            None if self.pooled is None else self.pooled.to(dtype).repeat_interleave(times, 0),
        )

    def __getitem__(self, rows: slice) -> TextBatch:
        """Some of the rows."""
        return TextBatch(
            self.embeds[rows],
            None if self.mask is None else self.mask[rows],
            None if self.pooled is None else self.pooled[rows],
        )
