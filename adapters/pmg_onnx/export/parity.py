"""How far what was exported is from the original, and how far it may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.record import Parity, Precision
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import BackendError

__all__ = ["LIMITS", "check", "compare", "rows_of"]

Rows = NDArray[np.float32]

LIMITS: dict[Precision, tuple[float, float]] = {
    "fp32": (1e-4, -1.0),
    "fp16": (5e-3, -1.0),
    "int8": (np.inf, 0.995),
}
"""Largest difference of two numbers, and smallest cosine of two rows."""


def rows_of(conditionings: Sequence[Conditioning], counts: Sequence[int] | None = None) -> list[Rows]:
    """Tokens and pooled vectors, as matrices that can be compared.

    Args:
        counts: how many of the tokens count, for every conditioning; None is all.
    """
    found = []
    for index, each in enumerate(conditionings):
        found.append(each.embeds if counts is None else each.embeds[: counts[index]])
        if each.pooled is not None:
            found.append(each.pooled[None])
    return [rows for rows in found if rows.size]


def compare(expected: Sequence[Rows], found: Sequence[Rows]) -> Parity:
    """The measured distance of matrices that should be equal.

    Raises:
        BackendError: their shapes differ, or they hold no numbers.
    """
    shapes = [[rows.shape for rows in group] for group in (expected, found)]
    if shapes[0] != shapes[1]:
        raise BackendError(
            f"the exported model gives embeddings of shapes {shapes[1]}; the original gives {shapes[0]}. "
            "Nothing was written."
        )
    worst, cosine = 0.0, 1.0
    for one, two in zip(expected, found, strict=True):
        if not np.isfinite(two).all():
            raise BackendError("the exported model gives values that are no numbers. Nothing was written.")
        a, b = one.astype(np.float64), two.astype(np.float64)
        worst = max(worst, float(np.abs(a - b).max()))
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosine = min(cosine, float(((a * b).sum(axis=1) / np.maximum(norms, 1e-30)).min()))
    return Parity(max_abs=worst, min_cosine=cosine, rows=sum(len(rows) for rows in expected))


def check(parity: Parity, precision: Precision) -> Parity:
    """`parity`, where it is within the limits of `precision`.

    Raises:
        BackendError: it is not; the message says by how much.
    """
    largest, smallest = LIMITS[precision]
    if parity.max_abs > largest:
        raise BackendError(
            f"{precision}: a largest difference of {largest:g} from the original was expected; got "
            f"{parity.max_abs:.3g} ({parity.max_abs / largest:.1f} times as much). Nothing was written."
            + (" Export with --precision fp32." if precision != "fp32" else "")
        )
    if parity.min_cosine < smallest:
        raise BackendError(
            f"{precision}: a cosine of {smallest:g} or more between every row and the original was expected; "
            f"got {parity.min_cosine:.5f} ({smallest - parity.min_cosine:.5f} below). Nothing was written. "
            "Export with --precision fp16 or fp32."
        )
    return parity
