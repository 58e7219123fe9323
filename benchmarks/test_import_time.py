"""`import pmg_sdk`, `pmg --help` and `pmg adapters` start at once, and without torch."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

LIMIT_SECONDS = 0.3

PROGRAMS = {
    "python alone": "pass",
    "import pmg_sdk": "import pmg_sdk",
    "pmg --help": "from pmg_sdk.cli import main; main(['--help'])",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_start(benchmark: BenchmarkFixture, program: str) -> None:
    """Seconds of a new process, the interpreter's own start included."""
    command = [sys.executable, "-c", PROGRAMS[program]]
    _run(command)  # the first start writes the bytecode

    benchmark.pedantic(_run, args=(command,), rounds=10)

    # The best of several: another process on the machine can only make it slower.
    assert min(_seconds(command) for _ in range(5)) < LIMIT_SECONDS


def test_no_torch_for_help() -> None:
    program = (
        "import sys\n"
        "from pmg_sdk.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules or 'rich' in sys.modules or 'numpy' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    _run(command)
    return time.perf_counter() - begin
