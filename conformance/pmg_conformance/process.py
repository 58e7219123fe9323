"""Another Python process, for what must hold in a new one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from pmg_conformance.failure import ConformanceFailure, NotRun

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = ["elsewhere", "run_python"]


def run_python(program: str, *, input: bytes = b"", timeout: float = 600.0) -> str:
    """What a program prints when a new interpreter with the same import path runs it.

    Its hash() of text is another than here, as in any new process, whatever PYTHONHASHSEED says.

    Raises:
        ConformanceFailure: it ended with an error, or not in time.
    """
    path = os.pathsep.join(folder for folder in sys.path if folder)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "random"}
    command = [sys.executable, "-c", program]
    try:
        ran = subprocess.run(command, input=input, capture_output=True, timeout=timeout, env=environment)
    except subprocess.TimeoutExpired:
        raise ConformanceFailure(f"an end within {timeout:g} s in a new process", "none") from None
    if ran.returncode:
        last = ran.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise ConformanceFailure("a new process that does the same work", last[0][:300])
    return ran.stdout.decode()


def elsewhere(subject: Subject, asked: Callable[[Subject], object], timeout: float = 600.0) -> str:
    """What a function of this package prints of the same subject in a new process.

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
        f"print({asked.__name__}(find(**pickle.load(sys.stdin.buffer))))\n"
    )
    described = {
        "target": subject.target,
        "kind": subject.kind,
        "options": dict(subject.options),
        # Of the aids, those that items are made of.
        "aids": Aids(media=subject.aids.media, pairs=subject.aids.pairs),
    }
    return run_python(program, input=pickle.dumps(described), timeout=timeout).strip().splitlines()[-1]
