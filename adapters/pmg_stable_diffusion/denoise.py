"""The denoising loop: from noise x_T to a picture's latent x_0 (paper, sections 3.3.2 and 3.4)."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import GenerationError
from pmg_stable_diffusion.guidance import Guidance, guide
from pmg_stable_diffusion.text_batch import TextBatch

if TYPE_CHECKING:
    import torch

__all__ = ["OnStep", "denoise", "draw_noise", "noise_generator"]

OnStep = Callable[["torch.Tensor"], None]
"""Called after every step with the current estimate of x_0, shape (B, C, h, w)."""


def denoise(
    unet: Any,
    scheduler: Any,
    text: TextBatch,
    guidance: Guidance,
    noise: torch.Tensor,
    generators: Sequence[torch.Generator],
    *,
    size: tuple[int, int],
    on_step: OnStep,
) -> torch.Tensor:
    """Run every timestep of `scheduler` on a batch of B candidates.

    Symbols: x the noisy latent, t the timestep, c the text, eps what the network predicts (the noise,
    or the velocity v; the scheduler knows which), w the guidance strength.

    Args:
        unet: a `UNet2DConditionModel`.
        text: 2B rows, the negatives and then the prompts; the prompts alone where no guidance acts.
        noise: float32, shape (B, C, h, w), unit variance.
        generators: one per candidate, for schedulers that add noise on the way.
        size: (width, height) in pixels, which SDXL is told.
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
            eps_u, eps_c = predict(unet, torch.cat([x_in, x_in]), t, text, size).chunk(2)
            eps = guide(eps_u, eps_c, guidance)
        else:
            eps = predict(unet, x_in, t, text[-B:], size)
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


def predict(
    unet: Any, x: torch.Tensor, t: torch.Tensor, text: TextBatch, size: tuple[int, int]
) -> torch.Tensor:
    """eps(x, t, c) in float32."""
    eps: torch.Tensor = unet(
        x.to(unet.dtype),
        t,
        encoder_hidden_states=text.embeds,
        encoder_attention_mask=text.mask,
        added_cond_kwargs=_picture_facts(text, size),
        return_dict=False,
    )[0]
    return eps.float()


def noise_generator(seed: int) -> torch.Generator:
    """The CPU generator of one candidate's noise.

    torch keeps the low 32 bits of a seed and drops the rest; a larger seed is hashed into them, so that 0
    and 2**32 are two noises.
    """
    import torch

    if seed >= 2**32:
        seed = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:4], "big")
    return torch.Generator().manual_seed(seed)


def draw_noise(shape: Sequence[int], generators: Sequence[torch.Generator]) -> torch.Tensor:
    """Float32 noise of `shape` for every generator, on the CPU: a seed means the same on all devices."""
    import torch

    return torch.stack([torch.randn(tuple(shape), generator=generator) for generator in generators])


def _picture_facts(text: TextBatch, size: tuple[int, int]) -> dict[str, torch.Tensor] | None:
    """SDXL's micro-conditioning: original size, crop corner, target size, each as (height, width)."""
    if text.pooled is None:
        return None
    width, height = size
    facts: torch.Tensor = text.pooled.new_tensor([height, width, 0, 0, height, width])
    return {"text_embeds": text.pooled, "time_ids": facts.repeat(len(text.pooled), 1)}


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
