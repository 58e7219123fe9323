"""Trainings that depend on one another, as chains of processes that share a machine's GPUs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Stage", "run"]


@dataclass(frozen=True)
class Stage:
    """One training run.

    Attributes:
        module: to run, "recipes.emoji.pool" for example; its last part names the log.
        result: the file that shows it is done.
        arguments: of its command line.
        gpus: how many processes train together, one a GPU.
        gpu: the one GPU it sees, by number; None sees all.
        name: of the log, where the module's is not enough.
    """

    module: str
    result: Path
    arguments: tuple[object, ...]
    gpus: int = 1
    gpu: int | None = None
    name: str = ""

    @property
    def log(self) -> str:
        """Name of its log file."""
        return f"{self.name or self.module.rpartition('.')[2]}.log"

    def command(self) -> list[str]:
        """What to run."""
        together = ("torch.distributed.run", "--nproc-per-node", self.gpus, "-m") if self.gpus > 1 else ()
        words = [sys.executable, "-u", "-m", *together, self.module, *self.arguments]
        return [str(word) for word in words]


def run(chains: Sequence[Sequence[Stage]], logs: Path) -> list[str]:
    """Run chains side by side, the stages of each one after another, and wait for all.

    A stage whose result is there is left alone; a chain ends with its first failure.

    Returns:
        The logs of the stages that failed.
    """
    logs.mkdir(parents=True, exist_ok=True)
    running = [_start(chain, logs) for chain in chains]
    for process in running:
        process.wait()
    return [str(logs / stage.log) for chain in chains for stage in chain if not stage.result.exists()]


def _start(chain: Sequence[Stage], logs: Path) -> subprocess.Popen[bytes]:
    """One process that runs the stages that are not done."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    jobs = [
        (stage.command(), str(logs / stage.log), seen if stage.gpu is None else str(stage.gpu))
        for stage in chain
        if not stage.result.exists()
    ]
    script = (
        "import os, subprocess, sys\n"
        f"for command, log, gpu in {jobs!r}:\n"
        "    env = dict(os.environ) if gpu is None else {**os.environ, 'CUDA_VISIBLE_DEVICES': gpu}\n"
        "    with open(log, 'a') as file:\n"
        "        if subprocess.run(command, stdout=file, stderr=file, env=env).returncode:\n"
        "            sys.exit(1)\n"
    )
    return subprocess.Popen([sys.executable, "-c", script])
