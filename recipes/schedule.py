"""The noise schedule that the embedded generators were trained with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DDPMScheduler
from torch import Tensor

__all__ = ["VelocityLoss", "make_schedule"]


def make_schedule() -> DDPMScheduler:
    """1000 steps, v-prediction, zero terminal SNR."""
    return DDPMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
    )


class VelocityLoss:
    """What a network that predicts v = a noise - s x0 is off by, where x_t = a x0 + s noise.

    Noise levels are weighed as min-SNR does (arXiv 2303.09556), and at least 0.25: the first steps decide
    what comes out.
    """

    def __init__(self, device: torch.device) -> None:
        self._alphas = make_schedule().alphas_cumprod.to(device)
        snr = self._alphas / (1 - self._alphas)
        self._share = (snr.clamp(max=5.0) / (snr + 1)).clamp_min(0.25)

    def __call__(
        self, predict: Callable[[Tensor, Tensor], Tensor], x0: Tensor, noise: Tensor, t: Tensor
    ) -> Tensor:
        """The mean over a batch.

        Args:
            predict: v of x_t and t, under autocast where it wants to be.
            x0, noise: (B, C, h, w); `t`: int64 (B,).
        """
        a = self._alphas[t].sqrt().view(-1, 1, 1, 1)
        s = (1 - self._alphas[t]).sqrt().view(-1, 1, 1, 1)
        guess = predict(a * x0 + s * noise, t).float()
        return ((guess - (a * noise - s * x0)).square().mean(dim=(1, 2, 3)) * self._share[t]).mean()
