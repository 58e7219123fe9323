"""A disk that fills up and Ctrl-C, in a process of their own: what was there stays, and nothing half-made."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import RUN, Pmg

PMG = (sys.executable, "-m", "pmg_sdk.cli")


def limited_to(size: int) -> Callable[[], None]:
    """The kernel refuses to let a file grow beyond `size` bytes, as a full disk does."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize("size", [0, 200, 1500])
@pytest.mark.parametrize("earlier", [True, False])
def test_a_full_disk_leaves_the_earlier_result_or_nothing(pmg: Pmg, size: int, earlier: bool) -> None:
    if earlier:
        assert pmg(*RUN, "--seed", "3").exit_code == 0
    before = files()
    done = subprocess.run(
        [*PMG, *RUN], preexec_fn=limited_to(size), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "nothing was changed" in done.stderr.splitlines()[-1]
    assert files() == before


def test_a_preference_is_written_whole_or_not_at_all(pmg: Pmg) -> None:
    Path("user.json").write_text('{"history": ["a blue cat"]}')
    before = files()
    command = [*PMG, "preference", "user.json", "--scenario", "reference", "--out", "kept.json"]
    done = subprocess.run(command, preexec_fn=limited_to(0), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write kept.json")
    assert files() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_output_sent_to_a_full_disk_is_an_error_too(pmg: Pmg) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PMG, *RUN, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: cannot print the output")


def test_ctrl_c_during_denoising_ends_with_130_and_leaves_the_earlier_result(pmg: Pmg) -> None:
    assert pmg(*RUN).exit_code == 0
    before = files()
    process = subprocess.Popen(
        [*PMG, *RUN, "--set", "generator=slow"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() in ("denoising\n",)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.strip() == "stopped; nothing half-written was left"
    assert output == ""
    assert files() == before
