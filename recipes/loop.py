"""What every training run shares: a time budget, averaged weights, checkpoints that survive a kill."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recipes.team import Team

__all__ = ["Average", "Fit", "Run", "cosine", "wait_for"]


def cosine(done: float, peak: float, warmup: float = 0.02, floor: float = 0.02) -> float:
    """Learning rate after the share `done` in [0, 1] of the run."""
    if done < warmup:
        return peak * max(done / warmup, 0.01)
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))))


def wait_for(path: Path, minutes: float = 60.0) -> None:
    """Sleep until an earlier stage has written `path`.

    Raises:
        TimeoutError: it did not appear in time.
    """
    end = time.monotonic() + minutes * 60
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} was not written within {minutes:g} minutes")
        time.sleep(0.5)


class Average:
    """Exponential moving average of a module's parameters, with a warm-up of the decay."""

    def __init__(self, module: nn.Module, decay: float = 0.9995) -> None:
        self.decay, self.steps = decay, 0
        self.source = list(module.parameters())
        self.values = [parameter.detach().clone().float() for parameter in self.source]

    @torch.no_grad()
    def update(self) -> None:
        """Take one step towards the current weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.values, [p.detach().float() for p in self.source], 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Overwrite the module's parameters with the average."""
        for parameter, value in zip(module.parameters(), self.values, strict=True):
            parameter.copy_(value)


class Run:
    """A budget of minutes that can be interrupted and taken up again.

    `for step in run.steps(): ...` yields until the minutes are used; `run.done` is the share used.
    `run.checkpoint(state)` writes once a minute; `run.resume()` returns the last state.

    Args:
        out: folder of the log and the checkpoint.
        minutes: the budget.
        every: seconds between checkpoints.
        team: those who train together; its leader's clock counts, and the leader alone writes.
    """

    def __init__(self, out: Path, minutes: float, *, every: float = 60.0, team: Team | None = None) -> None:
        self.out, self.budget, self.every = out, minutes * 60, every
        self.team = team
        self.used, self.step = 0.0, 0
        self.done = 0.0
        """Share of the budget used, in [0, 1]."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._saved = time.monotonic()
        self._started = time.monotonic()

    def steps(self) -> Iterator[int]:
        """Count steps until the budget is used; compile before this, so that it costs none."""
        self._started = time.monotonic()
        together = self.team is not None and self.team.size > 1
        while True:
            if not together or self.step % 20 == 0:  # agreeing waits for the GPU, so not at every step
                self.done = min(1.0, self._agreed(self._elapsed / self.budget))
            if self.done >= 1:
                return
            yield self.step
            self.step += 1

    @property
    def _elapsed(self) -> float:
        return self.used + time.monotonic() - self._started

    @property
    def _writes(self) -> bool:
        return self.team is None or self.team.leads

    def _agreed(self, value: float) -> float:
        return value if self.team is None else self.team.agree(value)

    def resume(self) -> dict[str, Any] | None:
        """The last checkpoint, or None."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.step, self.used = state["step"], state["used"]
        return state

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint, and this process is the one to write it."""
        return self._writes and time.monotonic() - self._saved >= self.every

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Write the state in one step."""
        self._saved = time.monotonic()
        torch.save({**state, "step": self.step, "used": self._elapsed}, self.out / "checkpoint.part")
        os.replace(self.out / "checkpoint.part", self.out / "checkpoint.pt")

    def log(self, **values: float) -> None:
        """One line to the screen and to `log.jsonl`."""
        if not self._writes:
            return
        line = {"step": self.step, "done": round(self.done, 4)} | {k: round(v, 5) for k, v in values.items()}
        print(" ".join(f"{key}={value}" for key, value in line.items()), flush=True)
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


class Fit:
    """A module, its average and its optimizer as one thing that steps, is saved, and is taken up again.

    The learning rate follows `cosine` over the run's budget. Constructing it resumes from the run's
    checkpoint where there is one.
    """

    def __init__(
        self, module: nn.Module, optimizer: torch.optim.Optimizer, run: Run, *, rate: float, decay: float
    ) -> None:
        self.module, self.optimizer, self.run, self.rate = module, optimizer, run, rate
        self.average = Average(module, decay)
        self.trained = [p for group in optimizer.param_groups for p in group["params"]]
        if state := run.resume():
            module.load_state_dict(state["module"])
            optimizer.load_state_dict(state["optimizer"])
            device = self.trained[0].device
            self.average.values = [value.to(device) for value in state["average"]]
            self.average.steps = run.step

    def step(self, loss: Tensor) -> None:
        """One step down `loss`; now and then a checkpoint."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.follow()

    def follow(self) -> None:
        """One step down the gradients that are there; now and then a checkpoint."""
        for group in self.optimizer.param_groups:
            group["lr"] = cosine(self.run.done, self.rate)
        if self.run.team is not None:
            self.run.team.average_gradients(self.trained)
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.average.update()
        if self.run.due:
            self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        self.run.checkpoint(
            {
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.values,
            }
        )

    def finish(self) -> None:
        """A last checkpoint, then the average becomes the module's weights."""
        if self.run.team is None or self.run.team.leads:
            self.save()
        self.average.copy_to(self.module)
