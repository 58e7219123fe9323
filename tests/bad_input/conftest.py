"""What the tests of bad input share: the command line, tiny model folders, and how an error must end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from command_line import Pmg, plugins, pmg
from tiny_models.fixtures import sd15_model

__all__ = ["Pmg", "Run", "plugins", "pmg", "refused", "sd15_model"]

RUN = ("generate", "--scenario", "reference", "--message", "a red sun", "--out", "out")


class Run:
    """`run(behavior, *arguments)`: `pmg generate` for a behaviour file in the working folder."""

    def __init__(self, pmg: Pmg) -> None:
        self._pmg = pmg

    def __call__(self, behavior: Mapping[str, Any] | str, *arguments: str) -> Result:
        text = behavior if isinstance(behavior, str) else json.dumps(behavior)
        Path("user.json").write_text(text)
        return self._pmg(*RUN, "--user", "user.json", *arguments)


@pytest.fixture
def run(pmg: Pmg) -> Run:
    return Run(pmg)


@pytest.fixture
def refused() -> Callable[[Result, str], None]:
    """Checks that a run ended in one line that names the cause, and left nothing behind."""

    def check(done: Result, told: str) -> None:
        assert done.exit_code == 1, done.output
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert told in line
        assert not Path("out").exists()
        assert not list(Path().glob(".*"))

    return check
