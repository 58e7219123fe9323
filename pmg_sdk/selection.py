"""d_p, d_t and z, and the candidate with the largest z (paper, section 3.4).

    d_p = e_M . e_p / (|e_M| |e_p|)        how much the medium shows what the user likes
    d_t = e_M . e_t / (|e_M| |e_t|)        how much it shows the thing asked for
    z   = alpha * log d_p + (1 - alpha) * log d_t

A cosine can be <= 0, where the logarithm ends: it is clamped at `EPSILON`, and the selection says
how many were. argmax z does not change when all cosines are scaled, so none are; it would
change with a shift, so there is no logit bias either. (The authors' release takes
log d_t + 2 log d_p of CLIP logits; in these terms alpha = 2/3.)

Without preference keywords there is no e_p: d_p is None and z = log d_t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, log
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.conditioning import WeightPair
from pmg_sdk.errors import SelectionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from pmg_sdk.media import Media

__all__ = ["EPSILON", "Candidate", "Selection", "cosines", "score", "select"]

EPSILON = 1e-4
"""The smallest cosine that enters a logarithm."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One medium, what it was made with, and how it fares.

    Attributes:
        weights: w_p, w_t and w_s.
        seed: of the noise.
        media: M.
        preference_score: d_p, -1 to 1; None without preference keywords.
        accuracy_score: d_t, -1 to 1.
        z: the balance of both; the largest wins.
    """

    weights: WeightPair
    seed: int
    media: Media
    preference_score: float | None
    accuracy_score: float
    z: float

    @property
    def clamped(self) -> bool:
        """Whether d_p or d_t was too small for a logarithm."""
        return any(d is not None and d < EPSILON for d in (self.preference_score, self.accuracy_score))


@dataclass(frozen=True, eq=False)
class Selection:
    """The winner and those it won against.

    Attributes:
        candidates: all of them, in the order given, with z at `alpha`.
        winner: the one with the largest z.
        alpha: share of log d_p in z.
    """

    candidates: tuple[Candidate, ...]
    winner: Candidate
    alpha: float

    @property
    def clamped(self) -> int:
        """How many candidates had a cosine clamped at `EPSILON`."""
        return sum(candidate.clamped for candidate in self.candidates)


def cosines(e_M: ArrayLike, e: ArrayLike) -> NDArray[np.float64]:
    """The cosine of every row of `e_M`, shape (n, width), with `e`, shape (width,).

    Raises:
        SelectionError: a shape is another, a value is not a number, or a vector has length 0.
    """
    rows, vector = np.asarray(e_M, dtype=np.float64), np.asarray(e, dtype=np.float64)
    if rows.ndim != 2 or vector.shape != rows.shape[1:]:
        raise SelectionError(
            "embeddings of shape (n, width) and (width,) were expected; "
            f"got {rows.shape} and {vector.shape}. The scorer must embed text and media into one space."
        )
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(vector)
    if not np.all(np.isfinite(lengths)) or np.any(lengths == 0):
        raise SelectionError(
            "embeddings of finite, positive length were expected; the scorer gave one that is not. "
            "Check its weights, or score in float32."
        )
    return np.asarray(np.clip(rows @ vector / lengths, -1.0, 1.0))


def score(d_p: float | None, d_t: float, alpha: float) -> float:
    """z = alpha * log d_p + (1 - alpha) * log d_t; log d_t alone where d_p is None.

    Raises:
        SelectionError: a score is not a number, or alpha lies outside 0 to 1.
    """
    if not (0 <= alpha <= 1):
        raise SelectionError(f"alpha lies between 0 and 1; got {alpha}")
    if not all(isfinite(d) for d in (d_p, d_t) if d is not None):
        raise SelectionError(f"scores are numbers; got d_p={d_p}, d_t={d_t}. Check the scorer's weights.")
    if d_p is None:
        return log(max(d_t, EPSILON))
    return alpha * log(max(d_p, EPSILON)) + (1 - alpha) * log(max(d_t, EPSILON))


def select(candidates: Sequence[Candidate], alpha: float = 0.5) -> Selection:
    """argmax z, with z taken anew at `alpha`: another balance costs no generation.

    Equal z go to the larger d_t, then to the smaller w_p, w_t, w_s and seed, so the order in
    which candidates come never decides.

    Raises:
        SelectionError: there are no candidates, or a score is not a number.
    """
    if not candidates:
        raise SelectionError("at least one candidate was expected; got none")
    scored = tuple(
        replace(candidate, z=score(candidate.preference_score, candidate.accuracy_score, alpha))
        for candidate in candidates
    )
    winner = max(scored, key=_rank)
    return Selection(scored, winner, alpha)


def _rank(candidate: Candidate) -> tuple[float, ...]:
    w = candidate.weights
    return candidate.z, candidate.accuracy_score, -w.preference, -w.target, -w.soft, -candidate.seed
