"""Conditionings of different lengths as one padded and masked batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pmg_sdk.conditioning import Conditioning

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["TextBatch", "TwoStreams"]


@dataclass(frozen=True, eq=False)
class TwoStreams(Conditioning):
    """A conditioning for a network that attends to a second stream, which only text can fill.

    Attributes:
        second: float32, shape (tokens, width), as many tokens in every one of a batch.
    """

    second: NDArray[np.float32] = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class TextBatch:
    """What B candidates are conditioned on.

    Attributes:
        embeds: shape (B, tokens, width), zeros where padded.
        mask: bool, shape (B, tokens), True where a token is; None where nothing is padded.
        pooled: shape (B, pooled width), or None.
        second: the second stream, shape (B, tokens, width), or None.

    A zero key still takes softmax mass in cross-attention, which is why padding is masked out.
    """

    embeds: torch.Tensor
    mask: torch.Tensor | None
    pooled: torch.Tensor | None
    second: torch.Tensor | None = None

    @classmethod
    def stack(cls, parts: Sequence[Conditioning], device: torch.device, dtype: torch.dtype) -> TextBatch:
        """Pad every part to the longest. What not all parts have, a pooled vector, is left out."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        rows = [torch.from_numpy(part.embeds) for part in parts]
        lengths = torch.tensor([len(row) for row in rows])
        longest = int(lengths.max())
        mask = torch.arange(longest) < lengths[:, None]

        def side_by_side(values: Sequence[NDArray[np.float32] | None]) -> torch.Tensor | None:
            found = [torch.from_numpy(value) for value in values if value is not None]
            return torch.stack(found).to(device, dtype) if len(found) == len(parts) else None

        return cls(
            embeds=pad_sequence(rows, batch_first=True).to(device, dtype),
            mask=None if bool(mask.all()) else mask.to(device),
            pooled=side_by_side([part.pooled for part in parts]),
            second=side_by_side([part.second if isinstance(part, TwoStreams) else None for part in parts]),
        )

    def repeated(self, times: int, dtype: torch.dtype) -> TextBatch:
        """Every row `times` times in a row, as `dtype`."""

        def repeat(tensor: torch.Tensor) -> torch.Tensor:
            values = tensor.to(dtype) if tensor.is_floating_point() else tensor
            return values.repeat_interleave(times, 0)

        return self._each(repeat)

    def __getitem__(self, rows: slice) -> TextBatch:
        """Some of the rows."""
        return self._each(lambda tensor: tensor[rows])

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> TextBatch:
        rest = (None if part is None else change(part) for part in (self.mask, self.pooled, self.second))
        return TextBatch(change(self.embeds), *rest)
