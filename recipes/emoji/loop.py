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
    `run.checkpoint(state)` writes at most once a minute; `run.resume()` returns the last state.
    """

    def __init__(self, out: Path, minutes: float, *, every: float = 60.0) -> None:
        self.out, self.budget, self.every = out, minutes * 60, every
        self.used, self.step, self.best = 0.0, 0, 0.0
        self.out.mkdir(parents=True, exist_ok=True)
        self._saved = time.monotonic()
        self._started = time.monotonic()

    @property
    def done(self) -> float:
        """Share of the budget used, in [0, 1]."""
        return min(1.0, (self.used + time.monotonic() - self._started) / self.budget)

    def steps(self) -> Iterator[int]:
        """Count steps until the budget is used; compile before this, so that it costs none."""
        self._started = time.monotonic()
        while self.done < 1:
            yield self.step
            self.step += 1

    def resume(self) -> dict[str, Any] | None:
        """The last checkpoint, or None."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.step, self.used = state["step"], state["used"]
        return state

    def checkpoint(self, state: dict[str, Any], *, now: bool = False) -> None:
        """Write the state in one step, at most every `every` seconds unless `now`."""
        if not now and time.monotonic() - self._saved < self.every:
            return
        self._saved = time.monotonic()
        used = self.used + time.monotonic() - self._started
        torch.save({**state, "step": self.step, "used": used}, self.out / "checkpoint.part")
        os.replace(self.out / "checkpoint.part", self.out / "checkpoint.pt")

    def log(self, **values: float) -> None:
        """One line to the screen and to `log.jsonl`."""
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
        for group in self.optimizer.param_groups:
            group["lr"] = cosine(self.run.done, self.rate)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.average.update()
        self.save()

    def save(self, *, now: bool = False) -> None:
        """Write a checkpoint, at most once a minute unless `now`."""
        self.run.checkpoint(
            {
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.values,
            },
            now=now,
        )

    def finish(self) -> None:
        """A last checkpoint, then the average becomes the module's weights."""
        self.save(now=True)
        self.average.copy_to(self.module)
