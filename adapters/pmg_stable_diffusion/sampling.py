"""Batches of candidates: what one needs, and how a batch of them is denoised and decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pmg_sdk.accelerator import in_batches
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.media import Image
from pmg_stable_diffusion.decode import decode
from pmg_stable_diffusion.denoise import denoise, draw_noise, noise_generator
from pmg_stable_diffusion.guidance import Guidance
from pmg_stable_diffusion.schedulers import make_scheduler
from pmg_stable_diffusion.text_batch import TextBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from pmg_stable_diffusion.weights import DiffusionWeights

__all__ = ["Job", "OnBatchStep", "Sampler"]

PIXELS_PER_DECODE = 2**20
"""The autoencoder works at full resolution: about 1 GB of activations for this many pixels."""

OnBatchStep = Callable[[int, "torch.Tensor"], None]
"""Called after every step with the number of candidates in the batch and their estimates of x_0."""


@dataclass(frozen=True, eq=False)
class Job:
    """A request with nothing left open.

    Attributes:
        negative: None only where the guidance is 1 and no negative is needed.
    """

    prompt: Conditioning
    negative: Conditioning | None
    seed: int
    steps: int
    guidance: float


@dataclass(frozen=True, eq=False)
class Sampler:
    """Turns jobs into latents and latents into pictures.

    Attributes:
        size: (width, height) in pixels.
        scheduler: a name out of `SCHEDULERS`, or None for the model's own, which is `scheduler_config`.
        rescale, interval: see `Guidance`.
        batch_size: most candidates in one batch; None is all of them.
    """

    weights: DiffusionWeights
    size: tuple[int, int]
    downscaling: int
    scheduler: str | None
    scheduler_config: Mapping[str, Any]
    rescale: float
    interval: tuple[float, float] | None
    batch_size: int | None

    def total_steps(self, jobs: Sequence[Job]) -> int:
        """Candidates times timesteps; some schedulers take more timesteps than the steps asked for."""
        asked = Counter(job.steps for job in jobs)
        return sum(count * len(self._schedule(steps).timesteps) for steps, count in asked.items())

    def latents(self, jobs: Sequence[Job], on_step: OnBatchStep) -> list[torch.Tensor]:
        """x_0 of every job, in order; jobs of equal steps share batches."""
        found: dict[int, torch.Tensor] = {}
        limit = self.batch_size or max(len(jobs), 1)
        for steps in dict.fromkeys(job.steps for job in jobs):
            group = [index for index, job in enumerate(jobs) if job.steps == steps]
            alike = [jobs[index] for index in group]
            results = in_batches(alike, lambda batch: self._denoise(batch, on_step), limit=limit)
            found |= zip(group, results, strict=True)
        return [found[index] for index in range(len(jobs))]

    def decode(self, latents: Sequence[torch.Tensor]) -> list[Image]:
        """Pictures of latents of shape (C, h, w)."""
        import torch

        width, height = self.size
        limit = max(1, PIXELS_PER_DECODE // (width * height))
        return in_batches(
            latents, lambda batch: decode(self.weights.vae, torch.stack(list(batch))), limit=limit
        )

    def _denoise(self, jobs: Sequence[Job], on_step: OnBatchStep) -> Sequence[torch.Tensor]:
        import torch

        unet, device = self.weights.unet, self.weights.device
        negatives = [job.negative for job in jobs if job.negative is not None]
        if len(negatives) < len(jobs):
            negatives = [job.negative or job.prompt for job in jobs] if negatives else []
        generators = [noise_generator(job.seed) for job in jobs]
        width, height = self.size
        shape = (unet.config.in_channels, height // self.downscaling, width // self.downscaling)
        w = torch.tensor([job.guidance for job in jobs], dtype=torch.float32, device=device)
        x = denoise(
            unet,
            self._schedule(jobs[0].steps),
            TextBatch.stack([*negatives, *(job.prompt for job in jobs)], device, unet.dtype),
            Guidance(w.view(-1, 1, 1, 1), self.rescale, self.interval),
            draw_noise(shape, generators).to(device),
            generators,
            size=self.size,
            on_step=lambda estimate: on_step(len(jobs), estimate),
        )
        return x.unbind()

    def _schedule(self, steps: int) -> Any:
        return make_scheduler(self.scheduler, self.scheduler_config, steps, self.weights.device)
