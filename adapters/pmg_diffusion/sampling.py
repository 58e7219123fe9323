"""Batches of candidates: what one needs, and how a batch of them is denoised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pmg_diffusion.denoise import denoise
from pmg_diffusion.guidance import Guidance
from pmg_diffusion.model import DiffusionModel
from pmg_diffusion.noise import draw_noise, noise_generator
from pmg_diffusion.schedulers import make_scheduler
from pmg_diffusion.text_batch import TextBatch
from pmg_sdk.accelerator import in_batches
from pmg_sdk.conditioning import Conditioning

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

__all__ = ["Job", "OnBatchStep", "Sampler"]

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
    """Turns jobs into latents.

    Attributes:
        scheduler: a name out of `SCHEDULERS`, or None for the model's own, which is `scheduler_config`.
        rescale, interval: see `Guidance`.
        batch_size: most candidates in one batch; None is all of them.
    """

    model: DiffusionModel
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

    def _denoise(self, jobs: Sequence[Job], on_step: OnBatchStep) -> Sequence[torch.Tensor]:
        import torch

        model, device = self.model, self.model.device
        negatives = [job.negative for job in jobs if job.negative is not None]
        if len(negatives) < len(jobs):
            negatives = [job.negative or job.prompt for job in jobs] if negatives else []
        generators = [noise_generator(job.seed) for job in jobs]
        w = torch.tensor([job.guidance for job in jobs], dtype=torch.float32, device=device)
        x = denoise(
            model.predict,
            self._schedule(jobs[0].steps),
            TextBatch.stack([*negatives, *(job.prompt for job in jobs)], device, model.unet.dtype),
            Guidance(w.view(-1, 1, 1, 1), self.rescale, self.interval),
            draw_noise(model.latent_shape, generators).to(device),
            generators,
            on_step=lambda estimate: on_step(len(jobs), estimate),
        )
        return x.unbind()

    def _schedule(self, steps: int) -> Any:
        return make_scheduler(self.scheduler, self.scheduler_config, steps, self.model.device)
