"""What a training run would cost, by really taking its first steps."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pmg_transformers.soft_preference.trainer import Trainer

__all__ = ["DryRun", "dry_run"]

STEPS = 2
"""The first one warms up, the second is timed."""


@dataclass(frozen=True)
class DryRun:
    """Sizes and speed of a run.

    Attributes:
        trained: how many values learn, by part: "m", "prefix", "map".
        frozen: how many values of the LLM do not.
        examples: by part.
        checkpoint_bytes: of the weights of a run that can go on; `exported_bytes`: of an export.
        steps: of the recipe; `batch`: users a step.
        seconds_per_step: of one step on real examples, validation apart.
        peak_bytes: memory, models included: of the GPU where there is one, else by how much the process grew.
        device: where it was measured.
    """

    trained: Mapping[str, int]
    frozen: int
    examples: Mapping[str, int]
    checkpoint_bytes: int
    exported_bytes: int
    steps: int
    batch: int
    seconds_per_step: float
    peak_bytes: int
    device: str

    @property
    def seconds(self) -> float:
        """All steps of the recipe, validation apart."""
        return self.steps * self.seconds_per_step

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "trained_total": sum(self.trained.values()), "seconds": self.seconds}


def dry_run(make: Callable[[], Trainer]) -> DryRun:
    """Take the first steps of a run and throw them away; nothing is written.

    Args:
        make: the trainer; what it loads counts as memory.
    """
    before = _largest()
    trainer = make()
    seconds = 0.0
    for _ in range(STEPS):
        begun = time.perf_counter()
        trainer.train_step()
        seconds = time.perf_counter() - begun
    checkpoint = trainer.checkpoint()
    return DryRun(
        trained=trainer.parameters,
        frozen=trainer.frozen,
        examples=trainer.counts,
        checkpoint_bytes=len(checkpoint.weights()),
        exported_bytes=len(checkpoint.exported().weights()),
        steps=trainer.recipe.steps,
        batch=trainer.recipe.batch,
        seconds_per_step=seconds,
        peak_bytes=_peak(trainer.accelerator.device, before),
        device=str(trainer.accelerator.device),
    )


def _peak(device: Any, before: int) -> int:
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return _largest() - before


def _largest() -> int:
    """The most memory this process has held so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
