"""Another Python process, for what must hold in a new one."""

from __future__ import annotations

import os
import subprocess
import sys

from pmg_conformance.failure import ConformanceFailure

__all__ = ["run_python"]


def run_python(program: str, *, input: bytes = b"", timeout: float = 600.0) -> str:
    """What a program prints when a new interpreter with the same import path runs it.

    Its hash() of text is another than here, as in any new process, whatever PYTHONHASHSEED says.

    Raises:
        ConformanceFailure: it ended with an error.
    """
    path = os.pathsep.join(folder for folder in sys.path if folder)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "random"}
    ran = subprocess.run(
        [sys.executable, "-c", program], input=input, capture_output=True, timeout=timeout, env=environment
    )
    if ran.returncode:
        last = ran.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise ConformanceFailure("a new process that does the same work", last[0][:300])
    return ran.stdout.decode()
