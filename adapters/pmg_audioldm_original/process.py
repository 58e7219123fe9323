"""One worker process of another interpreter, and what can go wrong with it."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pmg_audioldm_original import worker
from pmg_audioldm_original.worker import receive, send
from pmg_sdk.errors import BackendError, Cancelled, GenerationError, MissingExtra, ModelFolderError, PMGError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["WorkerProcess"]

POLL_SECONDS = 0.1
TOLD = 2000
"""Characters of what a dead worker last wrote that are told."""

HOW = "see 'The original audioldm package' in docs/audio.md"

Message = tuple[dict[str, Any], dict[str, "NDArray[Any]"]]


class WorkerProcess:
    """Starts `worker.py` and speaks with it; see there for the protocol.

    One question at a time; threads wait for each other. A question that ends in an exception other than
    a worker's own "failed" or "stopped" ends the worker: half a conversation cannot be gone on with.

    Args:
        python: path or name of the interpreter.

    Raises:
        MissingExtra: there is no such interpreter.
        BackendError: it cannot be started.
    """

    def __init__(self, python: str) -> None:
        self.python = python
        found = shutil.which(str(Path(python).expanduser()))
        if found is None:
            raise MissingExtra(
                f"the interpreter of an environment with audioldm was expected at python={python!r}; there "
                f"is none. Make one, or correct the path: {HOW}."
            )
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        try:
            self._process = subprocess.Popen(
                [found, str(Path(worker.__file__).resolve())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=_environment(),
            )
        except OSError as error:
            raise BackendError(
                f"the interpreter {found} cannot be started ({error.strerror}). Check python=: {HOW}."
            ) from error
        self._answers: queue.Queue[Message | Exception | None] = queue.Queue()
        self._lock = threading.Lock()
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()
        self._end = weakref.finalize(self, _end, self._process)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it, whatever it does."""
        self._end()

    def ask(
        self,
        header: dict[str, Any],
        *,
        on_step: Callable[[], bool] | None = None,
        observer: Observer | None = None,
        **arrays: NDArray[Any],
    ) -> Message:
        """The answer to one question.

        Args:
            on_step: called at every step the worker tells of; whether to go on.
            observer: asked while waiting, where a question has no steps; to stop then ends the worker.

        Raises:
            Cancelled: `on_step` or the observer said so.
            MissingExtra: the package is not installed there. ModelFolderError: the checkpoint is no good.
            MemoryError: memory ran out there. GenerationError: what it made is not numbers.
            BackendError: the package failed, or the worker died.
        """
        with self._lock:
            try:
                self._say(header, **arrays)
                while True:
                    found, arrays_found = self._hear(observer)
                    if found["is"] != "stepped":
                        break
                    self._say({"is": "go" if on_step is None or on_step() else "stop"})
            except BaseException:
                self.end()
                raise
        if found["is"] == "stopped":
            raise Cancelled("stopped at the caller's request; nothing was written")
        if found["is"] == "failed":
            raise self._failure(str(found.get("kind")), str(found.get("message")))
        return found, arrays_found

    def _say(self, header: dict[str, Any], **arrays: NDArray[Any]) -> None:
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, header, **arrays)
        except OSError:
            raise self._death() from None

    def _hear(self, observer: Observer | None) -> Message:
        while True:
            try:
                answer = self._answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if observer is not None and observer.cancelled():
                    raise Cancelled("stopped at the caller's request; nothing was written") from None
                continue
            if answer is None:
                raise self._death()
            if isinstance(answer, Exception):
                raise BackendError(
                    f"the audioldm worker of {self.python} said what is no answer ({answer}). Is it a "
                    f"Python interpreter? {HOW}."
                ) from answer
            return answer

    def _death(self) -> PMGError:
        self._process.wait(timeout=10)
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip()[-TOLD:]
        return BackendError(
            f"the audioldm worker of {self.python} ended with status {self._process.returncode}"
            + (f"; the last it wrote: {said}" if said else " without a word")
        )

    def _failure(self, kind: str, message: str) -> Exception:
        if kind == "package":
            return MissingExtra(
                f"the package audioldm was expected in the environment of {self.python}; it cannot be "
                f"imported ({message}): {HOW}."
            )
        if kind == "checkpoint":
            return ModelFolderError(
                f"a checkpoint of the given architecture was expected; it cannot be loaded ({message}). "
                f"Download it again, or name its architecture: {HOW}."
            )
        if kind == "memory":
            return MemoryError(message)
        if kind == "numbers":
            return GenerationError(f"numbers were expected of the generator; {message}")
        return BackendError(f"audioldm failed: {message}")


def _listen(stream: Any, answers: queue.Queue[Message | Exception | None]) -> None:
    try:
        while (message := receive(stream)) is not None:
            answers.put(message)
        answers.put(None)
    except Exception as error:  # whatever is not the protocol
        answers.put(error)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):  # what was not yet written goes nowhere
                stream.close()


def _environment() -> dict[str, str]:
    """This one, without what would lead the other interpreter to this one's packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
