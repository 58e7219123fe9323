"""The denoising loop: from noise x_T to the latent x_0 of a medium (paper, sections 3.3.2 and 3.4)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pmg_diffusion.guidance import Guidance, guide
from pmg_diffusion.text_batch import TextBatch
from pmg_sdk.errors import GenerationError

if TYPE_CHECKING:
    import torch

__all__ = ["OnStep", "Predict", "denoise"]

Predict = Callable[["torch.Tensor", "torch.Tensor", TextBatch], "torch.Tensor"]
"""eps(x, t, c): see `DiffusionModel.predict`."""

OnStep = Callable[["torch.Tensor"], None]
"""Called after every step with the current estimate of x_0, shape (B, C, h, w)."""


def denoise(
    predict: Predict,
    scheduler: Any,
    text: TextBatch,
    guidance: Guidance,
    noise: torch.Tensor,
    generators: Sequence[torch.Generator],
    *,
    on_step: OnStep,
) -> torch.Tensor:
    """Run every timestep of `scheduler` on a batch of B candidates.

    Symbols: x the noisy latent, t the timestep, c the text, eps what the network predicts (the noise,
    or the velocity v; the scheduler knows which), w the guidance strength.

    Args:
        predict: the network.
        text: 2B rows, the negatives and then the prompts; the prompts alone where no guidance acts.
        noise: float32, shape (B, C, h, w), unit variance.
        generators: one per candidate, for schedulers that add noise on the way.
        on_step: may raise to stop.

    Returns:
        x_0, float32, shape (B, C, h, w).

    Raises:
        GenerationError: a step gave values that are not numbers.
    """
    import torch

    B = len(noise)
    T = scheduler.config.num_train_timesteps
    extra = _accepted(scheduler.step, eta=0.0, generator=list(generators))
    x: torch.Tensor = noise * scheduler.init_noise_sigma
    for step, t in enumerate(scheduler.timesteps, start=1):
        x_in = scheduler.scale_model_input(x, t)
        if guidance.acts(float(t) / T):
            eps_u, eps_c = predict(torch.cat([x_in, x_in]), t, text).chunk(2)
            eps = guide(eps_u, eps_c, guidance)
        else:
            eps = predict(x_in, t, text[-B:])
        result = scheduler.step(eps, t, x, **extra)
        x = result.prev_sample
        if not torch.isfinite(x).all():
            raise GenerationError(
                "numbers were expected in every latent; "
                f"step {step} of {len(scheduler.timesteps)} gave others. "
                'Try dtype="float32" or "bfloat16", or a lower guidance.'
            )
        on_step(_estimate(scheduler, result))
    return x


def _estimate(scheduler: Any, result: Any) -> torch.Tensor:
    """x_0 as far as the scheduler tells it, else the current x."""
    estimate = getattr(result, "pred_original_sample", None)
    if estimate is None and getattr(scheduler.config, "algorithm_type", None) == "dpmsolver++":
        estimate = scheduler.model_outputs[-1]
    chosen: torch.Tensor = result.prev_sample if estimate is None else estimate
    return chosen


def _accepted(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Those options that the function has parameters for: schedulers differ."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in known}
