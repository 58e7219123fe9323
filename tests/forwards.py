"""Watching the forwards of a network: how many rows each has, and what happens when one fails."""

from __future__ import annotations

from typing import Any

import pytest
import torch

__all__ = ["count_rows", "spoil"]


def count_rows(monkeypatch: pytest.MonkeyPatch, kind: type[Any], most: int | None = None) -> list[int]:
    """Rows of every forward of networks of class `kind` from here on; more than `most` run out of memory."""
    forward = kind.forward
    rows: list[int] = []

    def counting(self: Any, first: torch.Tensor, *arguments: Any, **options: Any) -> Any:
        rows.append(len(first))
        if most is not None and len(first) > most:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, first, *arguments, **options)

    monkeypatch.setattr(kind, "forward", counting)
    return rows


def spoil(monkeypatch: pytest.MonkeyPatch, kind: type[Any], call: int) -> None:
    """The forward of this number, from 1, gives values that are not numbers, as an overflow does."""
    forward = kind.forward
    calls: list[int] = []

    def failing(self: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(1)
        made = forward(self, *arguments, **options)
        if len(calls) != call:
            return made
        return (made[0] * float("nan"),) if isinstance(made, tuple) else made * float("nan")

    monkeypatch.setattr(kind, "forward", failing)
