"""Captions, drawn by what is true of a clip."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recipes.music.captions import ANY, Caption
from recipes.music.pieces import VALUES

__all__ = ["CaptionPool"]


class CaptionPool:
    """Numbers of captions that say the same, together; they differ in wording alone.

    Attributes:
        asked: int64 (captions, 4), what each asks for, by `pieces.ATTRIBUTES`.
    """

    def __init__(self, captions: Sequence[Caption], device: torch.device) -> None:
        self.asked = torch.tensor([asked for _, asked in captions], device=device)
        self._known, group = _key(self.asked).unique(return_inverse=True)
        self._order = group.argsort(stable=True)
        self._count = torch.bincount(group, minlength=len(self._known))
        self._start = self._count.cumsum(0) - self._count

    def drawn(self, labels: Tensor, keep: Tensor) -> Tensor:
        """A caption's number for every clip, (n,).

        Args:
            labels: int64 (n, 4), of the clips.
            keep: bool (n, 4), which attributes the caption speaks of.
        """
        group = torch.searchsorted(self._known, _key(torch.where(keep, labels, ANY)))
        within = (torch.rand(len(labels), device=labels.device) * self._count[group]).long()
        return self._order[self._start[group] + within]


def _key(asked: Tensor) -> Tensor:
    """One number for every row, another for another row."""
    key = torch.zeros_like(asked[:, 0])
    for column, values in enumerate(VALUES.values()):
        key = key * (len(values) + 1) + asked[:, column] + 1
    return key
