"""The Frechet distance between two sets of sounds, in the judge's features."""

from __future__ import annotations

import numpy as np

__all__ = ["frechet"]


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """|mu_a - mu_b|^2 + tr(A + B - 2 (A B)^(1/2)) of features (n, width) and (m, width).

    Sets of different sizes are not comparable: small ones look further apart.
    """
    mu, covariance = zip(*((x.mean(0), np.cov(x, rowvar=False)) for x in (a, b)), strict=True)
    # The eigenvalues of A B are those of A^(1/2) B A^(1/2), which are real and >= 0.
    values, vectors = np.linalg.eigh(covariance[0])
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ covariance[1] @ root).clip(min=0)).sum()
    trace = np.trace(covariance[0]) + np.trace(covariance[1]) - 2 * cross
    return float(((mu[0] - mu[1]) ** 2).sum() + trace)
