"""Losses of a training run by step: lines of `log.jsonl`, and TensorBoard where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pmg_sdk.errors import StorageError
from pmg_sdk.storage import write_text

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["RunLog"]


class RunLog:
    """The log of a run that goes on at a step: lines behind its checkpoint are cut off.

    Args:
        folder: of the run.
        step: of the checkpoint.
        accelerator: its main process writes.
    """

    def __init__(self, folder: Path, step: int, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._path = folder / "log.jsonl"
        if not accelerator.is_main_process:
            return
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        write_text(self._path, "".join(f"{line}\n" for line in lines if _is_of(line, step)))
        accelerator.init_trackers("tensorboard", init_kwargs={"tensorboard": {"purge_step": step + 1}})

    def write(self, step: int, name: str, value: float) -> None:
        """Note one number.

        Raises:
            StorageError: the file cannot be written.
        """
        if self._accelerator.is_main_process:
            try:
                with self._path.open("a") as file:
                    file.write(json.dumps({"step": step, name: value}) + "\n")
            except OSError as error:
                raise StorageError(
                    f"cannot write {self._path}: {error.strerror}. The last checkpoint stands: free some "
                    "space and give the same command again."
                ) from error
        self._accelerator.log({name: value}, step=step)

    def close(self) -> None:
        """Let TensorBoard write what it holds."""
        self._accelerator.end_training()


def _is_of(line: str, step: int) -> bool:
    """Whether a line of the log tells of a step up to this one; the last may have been cut off."""
    try:
        return int(json.loads(line)["step"]) <= step
    except (ValueError, KeyError, TypeError):
        return False
