"""The command line on the reference adapters, installed as a real distribution would be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pmg_sdk.cli import main
from pmg_sdk.plugins import registry

__all__ = ["Pmg", "plugins", "pmg"]

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("tests", "adapters", "scenarios", "models", "conformance", "tests/cli")
_PLUGINS = ("pmg_conformance.reference", "pmg_awkward")


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path in which the reference plugins are installed."""
    folder = tmp_path / "site"
    for name in _PLUGINS:
        info = folder / f"{name}-9.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 9.0\n"
        )
        (info / "entry_points.txt").write_text(f"[pmg_sdk]\n{name} = {name}.plugin\n")
    paths = [str(folder), str(_ROOT), *(str(_ROOT / name) for name in _PACKAGES)]
    for path in reversed(paths):
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    registry.cache_clear()
    yield folder
    registry.cache_clear()


class Pmg:
    """`pmg("generate", ...)` runs the command line in this process."""

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, prog_name="pmg")


@pytest.fixture
def pmg(plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pmg:
    """The command line, in an empty folder and with an empty cache."""
    monkeypatch.setenv("PMG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Pmg()
