"""Another Python process, for what must hold in a new one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pmg_conformance.failure import ConformanceFailure, NotRun

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = ["elsewhere", "run_python"]

T = TypeVar("T")


def run_python(program: str, *, input: bytes = b"", timeout: float = 600.0) -> Any:
    """What a program hands to `answer` when a new interpreter with the same import path runs it.

    What it prints is nobody's business: adapters and their libraries may. Its hash() of text is another
    than here, as in any new process, whatever PYTHONHASHSEED says.

    Raises:
        ConformanceFailure: it ended with an error, or not in time.
    """
    path = os.pathsep.join(folder for folder in sys.path if folder)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "random"}
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "answer"
        command = [sys.executable, "-c", _ANSWER.format(path=str(result)) + program]
        try:
            ran = subprocess.run(command, input=input, capture_output=True, timeout=timeout, env=environment)
        except subprocess.TimeoutExpired:
            raise ConformanceFailure(f"an end within {timeout:g} s in a new process", "none") from None
        if ran.returncode or not result.exists():
            last = ran.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise ConformanceFailure("a new process that does the same work", last[0][:300])
        return pickle.loads(result.read_bytes())  # of our own child, which ran the adapter as we do


_ANSWER = """def answer(value):
    import pathlib, pickle
    pathlib.Path({path!r}).write_bytes(pickle.dumps(value))
"""


def elsewhere(subject: Subject, asked: Callable[[Subject], T], timeout: float = 600.0) -> T:
    """What a function of this package returns for the same subject in a new process.

    Raises:
        NotRun: no other process can make the subject.
        ConformanceFailure: it ended with an error, or not in time.
    """
    if subject.target is None:
        raise NotRun("name the adapter by its registered name or as module:Class")
    from pmg_conformance.subject import Aids

    program = (
        "import pickle, sys\n"
        f"from {asked.__module__} import {asked.__name__}\n"
        "from pmg_conformance.target import find\n"
        f"answer({asked.__name__}(find(**pickle.load(sys.stdin.buffer))))\n"
    )
    described = {
        "target": subject.target,
        "kind": subject.kind,
        "options": dict(subject.options),
        # Of the aids, those that items are made of.
        "aids": Aids(media=subject.aids.media, pairs=subject.aids.pairs),
    }
    try:
        sent = pickle.dumps(described)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotRun(f"its options cannot be sent to another process ({error})") from error
    made: T = run_python(program, input=sent, timeout=timeout)
    return made
