"""Paired bootstrap: how sure a mean difference is, when units (users, pairs) are drawn anew."""

from __future__ import annotations

import numpy as np

__all__ = ["interval"]

RESAMPLES = 10_000


def interval(ours: np.ndarray, base: np.ndarray, *, relative: bool = False) -> dict[str, float]:
    """Mean of ours - base and its 95 % interval; units are drawn whole, so both sides stay paired.

    Args:
        ours, base: one value a unit, shape (n,).
        relative: as a share of base's mean.
    """
    drawn = np.random.default_rng(0).integers(len(ours), size=(RESAMPLES, len(ours)))
    gain, bases = (ours - base)[drawn].mean(1), base[drawn].mean(1)
    mean = (ours - base).mean()
    if relative:
        gain, mean = gain / bases, mean / base.mean()
    low, high = np.quantile(gain, [0.025, 0.975])
    return {"mean": float(mean), "low": float(low), "high": float(high)}
