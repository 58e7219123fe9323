"""E_m as its generator takes it: L tokens, or one vector (paper, section 3.3.1).

    tokens   E_m = map(h_1), ..., map(h_L)                      E^p = [E_m; E_k]
    vector   E_m = length * unit(mean of map(h_1) ... map(h_L))    E^p = |E| * unit(E_m + E_k)

h are the LLM's states at m. `conditioning.join` gives a sum of vectors the mean |E| of their lengths, so a
vector is made as long as those of keywords are: then directions alone decide who is heard.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pmg_sdk.conditioning import Conditioning

__all__ = ["conditionings", "joined", "one_vector", "pulled_back"]


def one_vector(E: Tensor, length: float) -> Tensor:
    """One vector of shape (rows, width) and that length, of mapped states of shape (rows, L, width)."""
    return _unit(E.mean(1)) * length


def conditionings(E_m: Tensor, space: str) -> list[Conditioning]:
    """E_m of every row for the core.

    Args:
        E_m: tokens of shape (rows, L, width), or vectors of shape (rows, width).
    """
    rows = E_m.detach().float().cpu().numpy()
    if rows.ndim == 3:
        return [Conditioning(row.copy(), space) for row in rows]
    no_tokens = np.zeros((0, rows.shape[1]), np.float32)
    return [Conditioning(no_tokens, space, row.copy()) for row in rows]


def joined(E_m: Tensor, beside: Sequence[Sequence[Conditioning]]) -> Tensor:
    """The vectors of `conditioning.join` at equal weights, "scale", with a gradient for E_m.

    Args:
        E_m: vectors, shape (rows, width).
        beside: the other parts of every row; what has no vector has no say.
    """
    known = [[part.pooled for part in parts if part.pooled is not None] for parts in beside]
    none = np.zeros(E_m.shape[1], np.float32)
    others = torch.from_numpy(np.stack([sum(vectors, none) for vectors in known])).to(E_m)
    lengths = E_m.new_tensor([sum(float(np.linalg.norm(v)) for v in vectors) for vectors in known])
    counts = E_m.new_tensor([1 + len(vectors) for vectors in known])
    length: Tensor = (torch.linalg.vector_norm(E_m, dim=-1) + lengths) / counts
    return _unit(E_m + others) * length[:, None]


def pulled_back(
    E_m: Tensor, beside: Sequence[Sequence[Conditioning]], gradients: Sequence[Conditioning]
) -> Tensor:
    """A scalar whose gradient is d loss / d E_m, summed over rows: the chain rule through the join.

    Args:
        E_m: as of `conditionings`.
        beside: what every row was joined with.
        gradients: d loss / d E^p of every row, as `SupportsTraining.training_loss` gives it.
    """
    if E_m.ndim == 3:
        L = E_m.shape[1]
        slopes, E_p = np.stack([slope.embeds[:L] for slope in gradients]), E_m
    else:
        slopes = np.stack([slope.pooled for slope in gradients if slope.pooled is not None])
        E_p = joined(E_m, beside)
    return (E_p * torch.from_numpy(slopes).to(E_p)).sum()


def _unit(vectors: Tensor) -> Tensor:
    directions: Tensor = torch.nn.functional.normalize(vectors, dim=-1)
    return directions
