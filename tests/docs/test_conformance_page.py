"""What docs/conformance.md shows works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from command_line import Pmg, plugins, pmg

from pmg_conformance import Outcome, Tier, load_waivers, suite
from pmg_conformance.report_files import FORMATS

__all__ = ["Pmg", "plugins", "pmg"]


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "conformance.md").read_text(encoding="utf-8")


def files(page: str) -> dict[str, str]:
    """The files that the page shows, by the names above them."""
    fenced = re.findall(r"^`([\w.]+)`:\n\n```python\n(.*?)^```", page, re.M | re.S)
    indented = re.findall(r"^`([\w.]+)`:\n\n((?: {4}.*\n)+)", page, re.M)
    return {**dict(fenced), **{name: re.sub("^ {4}", "", text, flags=re.M) for name, text in indented}}


def test_every_command_ends_well(pmg: Pmg, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path.cwd()))
    for name, text in files(page).items():
        Path(name).write_text(text, encoding="utf-8")
    commands = re.findall(r"^ {4}pmg (.*)$", page, re.M)
    assert len(commands) > 5
    for command in commands:
        done = pmg(*shlex.split(command))
        assert done.exit_code == 0, f"{command}\n{done.output}"
    assert {path.name for path in Path("report").iterdir()} == {file for file, _ in FORMATS.values()}


def test_the_tests_it_shows_pass(page: str, tmp_path: Path) -> None:
    for name, text in files(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 5


def test_its_waivers_can_be_read(page: str, tmp_path: Path) -> None:
    (tmp_path / "waivers.toml").write_text(files(page)["waivers.toml"], encoding="utf-8")
    assert load_waivers(tmp_path / "waivers.toml")


def test_its_tables_name_what_there_is(page: str) -> None:
    first = [
        re.findall(r"^\| `(\w[\w-]*)` \|", table, re.M) for table in re.split(r"\n\n|^#+ ", page, flags=re.M)
    ]
    assert list(get_args(Tier)) in first
    assert sorted(get_args(Outcome)) in [sorted(names) for names in first]
    assert list(FORMATS) in first
    assert all(f"`{name}`" in page for name in suite.__all__ if name.endswith("Conformance"))
