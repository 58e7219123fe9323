"""The wheel holds every package and nothing else. `.ci/run` also installs it and runs `pmg`."""

from __future__ import annotations

import runpy
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The project table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.mark.slow
def test_the_wheel_is_as_it_should_be(wheel: Path) -> None:
    assert runpy.run_path(str(ROOT / ".ci" / "check_wheel.py"))["problems"](wheel) == []


@pytest.mark.slow
def test_a_stray_file_would_be_found(wheel: Path, tmp_path: Path) -> None:
    other = tmp_path / wheel.name
    other.write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(other, "a") as archive:
        archive.writestr("recipes/emoji/art.py", "")
    problems = runpy.run_path(str(ROOT / ".ci" / "check_wheel.py"))["problems"](other)
    assert "recipes/emoji/art.py does not belong in a wheel" in problems
    assert any("top-level names are" in problem and "recipes" in problem for problem in problems)


def test_container_folders_are_no_packages() -> None:
    for folder in ("adapters", "scenarios", "models", "conformance", "recipes"):
        assert not (ROOT / folder / "__init__.py").exists(), f"{folder}/ must stay a plain folder"


def test_every_entry_point_names_a_plugin_that_exists(project: dict[str, Any]) -> None:
    for name, value in project["entry-points"]["pmg_sdk"].items():
        assert EntryPoint(name, value, "pmg_sdk").load() is not None


def test_every_extra_an_adapter_names_exists(project: dict[str, Any]) -> None:
    for name, value in project["entry-points"]["pmg_sdk"].items():
        plugin = EntryPoint(name, value, "pmg_sdk").load()
        for spec in getattr(plugin, "pmg_adapters", tuple)():
            assert spec.extra is None or spec.extra in project["optional-dependencies"], spec


def test_every_dependency_is_pinned_for_the_demo_and_explained(project: dict[str, Any]) -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    explained = (ROOT / "docs" / "dependencies.md").read_text().lower().replace("_", "-")
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(entry for extra in extras.values() for entry in extra)]:
        name = requirement.split(">")[0].split("[")[0].lower().replace("_", "-")
        if name == "pmg-sdk":
            continue
        assert name in pinned, f"{name} is not in constraints.txt"
        assert f"| {name} |" in explained, f"{name} is not in docs/dependencies.md"
