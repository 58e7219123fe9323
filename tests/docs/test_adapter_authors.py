"""docs/adapter-authors.md runs as it stands there, and what it states is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from command_line import Pmg, plugins, pmg

import pmg_sdk
from pmg_conformance import SPEC_VERSION, Outcome, checks, load_waivers
from pmg_conformance.abilities import ABILITIES, PROMISES
from pmg_conformance.check import TIERS
from pmg_sdk.interfaces import Role
from pmg_sdk.plugins import registry

__all__ = ["Pmg", "plugins", "pmg"]


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "adapter-authors.md").read_text(encoding="utf-8")


def commands(page: str) -> list[str]:
    """The lines of the first section, in order."""
    first = page.split("\n## ")[1]
    return re.findall(r"^ {4}((?:pip|pmg|pytest) .*)$", first, re.M)


def table(page: str, title: str) -> list[str]:
    """The first cells of the table under `## title`."""
    return re.findall(r"^\| `([\w-]+)` \|", page.split(f"\n## {title}\n")[1].split("\n## ")[0], re.M)


def test_its_commands_lead_to_a_green_report(
    pmg: Pmg, plugins: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [shlex.split(line)[1:] for line in commands(page) if line.startswith("pmg ")]
    assert [words[0] for words in ours] == ["new-adapter", "adapters", "conformance"]
    assert pmg(*ours[0]).exit_code == 0
    _installed("sunny-stickers", plugins)
    monkeypatch.syspath_prepend(str(Path("sunny-stickers").resolve()))
    assert "sunny-stickers" in pmg(*ours[1]).stdout
    done = pmg(*ours[2])
    assert done.exit_code == 0, done.output
    assert Path("report/report.html").exists()


@pytest.mark.slow
def test_its_commands_run_in_an_environment_of_their_own(page: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    scripts = tmp_path / "env" / "bin"
    # pmg-sdk of this checkout with what it needs stands for the published one.
    for name, module in {"pmg": "pmg_sdk.cli", "pytest": "pytest"}.items():
        (scripts / name).write_text(f'#!/bin/sh\nexec "{scripts}/python" -m {module} "$@"\n')
        (scripts / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    for line in commands(page):
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "report" / "report.html").exists()


def test_its_waiver_can_be_read(page: str, tmp_path: Path) -> None:
    block = re.findall(r"^ {4}\[PMG-.*\n(?: {4}.*\n)+", page, re.M)[0]
    (tmp_path / "waivers.toml").write_text(re.sub("^ {4}", "", block, flags=re.M), encoding="utf-8")
    assert set(load_waivers(tmp_path / "waivers.toml")) <= {check.id for check in checks()}


def test_its_tables_name_what_there_is(page: str) -> None:
    assert sorted(table(page, "The roles")) == sorted(get_args(Role))
    assert sorted(table(page, "Outcomes")) == sorted(get_args(Outcome))
    assert table(page, "Tiers and budgets") == list(TIERS)
    assert sorted(table(page, "Optional abilities")) == sorted({*ABILITIES, *PROMISES})


def test_every_role_is_shown_with_its_class(page: str) -> None:
    for role, name, required in re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) \| \[", page, re.M):
        interface = getattr(pmg_sdk, name)
        missing = [method for method in interface.__abstractmethods__ if f"`{method}" not in required]
        assert not missing, role


def test_every_check_it_names_exists(page: str) -> None:
    named = re.findall(r"PMG-[A-Z]+-\d{3}", page)
    assert len(named) > 20
    assert set(named) <= {check.id for check in checks()}


def test_it_states_the_version_of_the_contract(page: str) -> None:
    assert f"`SPEC_VERSION`, now {SPEC_VERSION}," in page


def _installed(name: str, site: Path) -> None:
    """What `pip install -e` writes, as far as plugins are concerned."""
    project = tomllib.loads(Path(name, "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{name.replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {project['version']}\n")
    lines = [f"{key} = {value}" for key, value in project["entry-points"]["pmg_sdk"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pmg_sdk]", *lines, ""]))
    registry.cache_clear()
