"""Classifier-free guidance, with its own strength for every candidate of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["Guidance", "guide", "rescale"]


@dataclass(frozen=True, eq=False)
class Guidance:
    """How the conditional prediction is pushed away from the unconditional one.

    Attributes:
        w: strength per candidate, shape (B, 1, 1, 1); 1 is no guidance (arXiv 2207.12598).
        phi: share of the rescaled prediction, 0..1 (arXiv 2305.08891, section 3.4).
        interval: (low, high) of t/T in which the guidance acts (arXiv 2404.07724); None is everywhere.
    """

    w: torch.Tensor
    phi: float = 0.0
    interval: tuple[float, float] | None = None

    def acts(self, t: float) -> bool:
        """Whether a step at noise level t in 0..1 (1 is pure noise) needs the unconditional prediction."""
        inside = self.interval is None or self.interval[0] <= t <= self.interval[1]
        return inside and bool((self.w != 1).any())


def guide(uncond: torch.Tensor, cond: torch.Tensor, guidance: Guidance) -> torch.Tensor:
    """eps = eps_u + w (eps_c - eps_u), its contrast brought back towards eps_c's by phi."""
    guided = uncond + guidance.w * (cond - uncond)
    return rescale(guided, cond, guidance.phi) if guidance.phi > 0 else guided


def rescale(guided: torch.Tensor, cond: torch.Tensor, phi: float) -> torch.Tensor:
    """phi * guided * std(cond) / std(guided) + (1 - phi) * guided, per candidate.

    Guidance widens the distribution; where the schedule ends in pure noise nothing narrows it again,
    and pictures come out overexposed.
    """
    dims = tuple(range(1, guided.ndim))
    ratio = cond.std(dim=dims, keepdim=True) / guided.std(dim=dims, keepdim=True)
    return guided * (phi * ratio + (1 - phi))
