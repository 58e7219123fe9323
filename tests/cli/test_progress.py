"""Bars on a terminal, silence elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Pmg

RUN = ("generate", "--scenario", "reference", "--message", "red")


def on_a_terminal(*arguments: str) -> tuple[str, str]:
    """stdout, and what a terminal on stderr would have shown."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "pmg_sdk.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
            text=True,
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # how Linux says that the other end was closed
            pass
        output, _ = process.communicate(timeout=60)
    finally:
        os.close(ours)
    assert process.returncode == 0, shown
    return output, shown.decode()


def test_the_stages_are_shown_on_a_terminal(pmg: Pmg) -> None:
    output, shown = on_a_terminal(*RUN)
    assert "denoise" in shown
    assert "score" in shown
    assert "denoise" not in output


@pytest.mark.parametrize("quiet", [True, False])
def test_no_bars_when_quiet_or_in_a_file(pmg: Pmg, quiet: bool) -> None:
    if quiet:
        _, shown = on_a_terminal(*RUN, "--quiet")
    else:
        shown = pmg(*RUN).stderr
    assert "denoise" not in shown
    assert Path("out/result.json").exists()
