"""The diffusion loss and its gradient with respect to the conditioning (paper, section 3.3.2).

    M_n = add noise to M_s;  M_d = Unet(E^p, M_n);  loss = MSE(M_s, M_d)

What the network predicts is compared with what it was trained to predict: the noise, the velocity or the
latent itself. The three errors differ by a factor of the noise level only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_diffusion.model import DiffusionModel
from pmg_diffusion.noise import noises
from pmg_diffusion.text_batch import TextBatch
from pmg_sdk.accelerator import in_batches
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import GenerationError, ModelFolderError
from pmg_sdk.interfaces import TrainingLoss

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["DiffusionLoss", "Entry"]

HALF_SCALE = 1024.0
"""Gradients of half precision networks are computed this much larger: smaller ones would vanish."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One conditioning, the latent it should explain, and the seed of its noises."""

    conditioning: Conditioning
    latent: NDArray[np.float32]
    seed: int


@dataclass(frozen=True, eq=False)
class DiffusionLoss:
    """The loss of a frozen UNet.

    Attributes:
        scheduler_config: of the model; says what the UNet predicts and how noise is added.
        batch_size: most noisy latents in one forward; None is all of them.
    """

    model: DiffusionModel
    scheduler_config: Mapping[str, Any]
    batch_size: int | None

    def __call__(self, entries: Sequence[Entry], *, draws: int, gradients: bool) -> TrainingLoss:
        """The mean over `draws` noises of every entry, and its gradient.

        Raises:
            OutOfMemory: one entry does not fit. GenerationError: a loss is not a number.
        """
        limit = max(1, (self.batch_size or len(entries) * draws) // draws)
        found = in_batches(entries, lambda batch: self._batch(batch, draws, gradients), limit=limit)
        values = np.array([value for value, _ in found], dtype=np.float32)
        if not np.isfinite(values).all():
            raise GenerationError(
                'numbers were expected as losses; the UNet gave others. Try dtype="float32" or "bfloat16".'
            )
        return TrainingLoss(values, tuple(slope for _, slope in found if slope is not None))

    def _batch(
        self, entries: Sequence[Entry], draws: int, gradients: bool
    ) -> list[tuple[float, Conditioning | None]]:
        import torch

        model, device = self.model, self.model.device
        schedule = self._schedule
        seeds, levels = [entry.seed for entry in entries], schedule.config.num_train_timesteps
        steps, noise = noises(seeds, entries[0].latent.shape, draws, levels)
        x0 = torch.stack([torch.from_numpy(entry.latent) for entry in entries]).float().to(device)
        x0, noise, t = x0.repeat_interleave(draws, 0), noise.to(device), steps.to(device)
        noisy = schedule.add_noise(x0, noise, t)
        text = TextBatch.stack([entry.conditioning for entry in entries], device, torch.float32)
        scale = 1.0 if model.unet.dtype == torch.float32 else HALF_SCALE
        with torch.set_grad_enabled(gradients), torch.inference_mode(False):
            leaves = [
                part.requires_grad_(gradients) for part in (text.embeds, text.pooled) if part is not None
            ]
            guess = model.predict(noisy, t, text.repeated(draws, model.unet.dtype))
            error = (guess - _wanted(schedule, x0, noise, t)).square().mean(dim=(1, 2, 3))
            losses = error.view(len(entries), draws).mean(1)
            slopes = (
                torch.autograd.grad(losses.sum() * scale, leaves, materialize_grads=True) if gradients else ()
            )
        values = losses.detach().cpu().tolist()
        if not gradients:
            return [(value, None) for value in values]
        rows = [(slope / scale).cpu().numpy() for slope in slopes]
        return [
            (value, _like(entry.conditioning, *(row[index] for row in rows)))
            for index, (value, entry) in enumerate(zip(values, entries, strict=True))
        ]

    @property
    def _schedule(self) -> Any:
        import diffusers

        kind: Any = diffusers.DDPMScheduler
        return kind.from_config(dict(self.scheduler_config))


def _wanted(schedule: Any, x0: torch.Tensor, noise: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """What the network was trained to predict."""
    kinds: dict[str, Callable[[], torch.Tensor]] = {
        "epsilon": lambda: noise,
        "v_prediction": lambda: schedule.get_velocity(x0, noise, t),
        "sample": lambda: x0,
    }
    kind = schedule.config.prediction_type
    if kind not in kinds:
        raise ModelFolderError(f"a UNet that predicts {', '.join(kinds)} can be trained with; got {kind!r}")
    return kinds[kind]()


def _like(
    conditioning: Conditioning, embeds: NDArray[np.float32], pooled: NDArray[np.float32] | None = None
) -> Conditioning:
    """A gradient in the shape of its conditioning: what padding was given is dropped."""
    kept = np.ascontiguousarray(embeds[: conditioning.tokens])
    return Conditioning(kept, conditioning.space, pooled)
