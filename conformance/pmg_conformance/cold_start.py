"""What a start costs, measured in a process of its own."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_conformance.process import elsewhere, run_python
from pmg_sdk.interfaces import SupportsLoading

if TYPE_CHECKING:
    from pmg_conformance.check import Kind
    from pmg_conformance.subject import Subject

__all__ = [
    "HEAVY",
    "ColdStart",
    "cold_start",
    "measured",
    "measured_import",
    "model_bytes",
    "reference_growth",
]

HEAVY = (
    "torch",
    "tensorflow",
    "jax",
    "onnxruntime",
    "transformers",
    "diffusers",
    "open_clip",
    "laion_clap",
    "mxnet",
)
"""Packages that take seconds to import, and memory."""


@dataclass(frozen=True)
class ColdStart:
    """From nothing to the first answers.

    Attributes:
        seconds: until the first answer, without the import of the adapter's module.
        grown: bytes that the process had at most, after a batch, over what it had before; None where the
            system does not say.
        framework: whether one was loaded.
    """

    seconds: float
    grown: int | None
    framework: bool


def cold_start(subject: Subject) -> ColdStart:
    """Start the subject in a new process, which may take twice its budget and no less than ten minutes.

    Raises:
        NotRun: no other process can make it.
        ConformanceFailure: it fails there.
    """
    timeout = max(600.0, 2 * (subject.aids.budget_seconds or 0.0))
    return ColdStart(**json.loads(elsewhere(subject, measured, timeout)))


def measured(subject: Subject) -> str:
    """The fields of a `ColdStart` as JSON, of this process."""
    before, started = _memory("VmRSS"), time.perf_counter()
    made = subject.adapter
    if isinstance(made, SupportsLoading):
        made.load()
    first = subject.required_works[0]
    first.do(made, first.items[:1])
    seconds = time.perf_counter() - started
    for work in subject.required_works:
        work.do(made, work.items)
    peak = _memory("VmHWM")
    return json.dumps(
        {
            "seconds": seconds,
            "grown": None if before is None or peak is None else peak - before,
            "framework": any(name in sys.modules for name in HEAVY),
        }
    )


def measured_import(module: str) -> tuple[float, float]:
    """Seconds of the processor that importing a module takes, and those for pmg_sdk.interfaces among them."""
    program = (
        "import time\n"
        "started = time.process_time()\n"
        "import pmg_sdk.interfaces\n"
        "between = time.process_time()\n"
        f"import {module}\n"
        "answer((time.process_time() - started, between - started))\n"
    )
    whole, interfaces = run_python(program)
    return float(whole), float(interfaces)


@functools.cache
def reference_growth(kind: Kind) -> int | None:
    """`ColdStart.grown` of the reference adapter of a role."""
    from pmg_conformance.reference.plugin import pmg_adapters
    from pmg_conformance.target import find

    (factory,) = (spec.factory for spec in pmg_adapters() if (spec.role, spec.name) == (kind, "reference"))
    return cold_start(find(factory, kind=kind)).grown


def model_bytes(options: Mapping[str, Any]) -> int | None:
    """The size of the local files and folders that options name; None where they name none."""
    named = [Path(value) for value in options.values() if isinstance(value, str | Path) and str(value)]
    there = [path for path in named if os.path.exists(path)]  # a text too long for a path is none
    files = [each for path in there for each in (path, *path.rglob("*")) if each.is_file()]
    return sum(file.stat().st_size for file in files) if there else None


def _memory(name: str) -> int | None:
    """Bytes of a field of /proc/self/status: what the process has, VmRSS, or had at most, VmHWM."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    return int(fields[name].split()[0]) * 1024 if name in fields else None
