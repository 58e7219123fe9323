"""What is installed: `pmg adapters`, `pmg scenarios`, `pmg assets`, help and completion."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pmg_sdk import __version__
from pmg_sdk.assets import ASSEMBLIES, ASSETS
from pmg_sdk.cli import main

from .conftest import Pmg


def test_adapters_are_listed_with_origin_and_health(pmg: Pmg) -> None:
    listed = json.loads(pmg("adapters", "--json").stdout)["adapters"]
    found = {(row["role"], row["name"]): row for row in listed}
    assert found["generator", "reference"]["health"] == "ok"
    assert found["generator", "reference"]["origin"] == "pmg-reference"
    assert found["generator", "reference"]["version"] == "9.0"
    assert found["generator", "absent"]["health"] == "needs a_package_nobody_has"


def test_the_table_shows_the_same(pmg: Pmg) -> None:
    lines = pmg("adapters").stdout.splitlines()
    assert any("absent" in line and "needs a_package_nobody_has" in line for line in lines)


def test_a_broken_plugin_is_named_and_the_rest_listed(pmg: Pmg, plugins: Path) -> None:
    info = plugins / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pmg_sdk]\nbroken = no_such_module.plugin\n")
    done = pmg("adapters")
    assert done.exit_code == 0
    assert "broken" in done.stderr
    assert "reference" in done.stdout


def test_scenarios_are_listed(pmg: Pmg) -> None:
    assert "reference" in [row["name"] for row in json.loads(pmg("scenarios", "--json").stdout)]


def test_assets_are_listed_with_licence_and_origin(pmg: Pmg) -> None:
    rows = json.loads(pmg("assets", "--json").stdout)["assets"]
    assert {row["name"] for row in rows} == {f"pmg:{name}" for name in [*ASSETS, *ASSEMBLIES]}
    assert all(row["licence"] and row["origin"] for row in rows)
    assert not any(row["cached"] for row in rows)


def test_the_path_of_what_is_not_cached_is_an_error(pmg: Pmg) -> None:
    done = pmg("assets", "path", "all-minilm-l6-v2")
    assert done.exit_code == 1
    assert "pmg assets fetch all-minilm-l6-v2" in done.stderr


def test_clearing_needs_names_or_all(pmg: Pmg) -> None:
    assert pmg("assets", "clear").exit_code == 2
    assert pmg("assets", "clear", "--all").exit_code == 0


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_explains_itself_with_an_example(pmg: Pmg, command: str) -> None:
    shown = pmg(command, "--help").stdout
    assert "pmg " + command in shown.split("Options:")[1], "an example at the end"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_prints_a_script(pmg: Pmg, shell: str) -> None:
    assert "_PMG_COMPLETE" in pmg("completion", shell).stdout


@pytest.mark.parametrize(
    "arguments", [("--help",), ("generate", "--help"), ("train", "--help"), ("adapters",), ("assets",)]
)
def test_nothing_heavy_is_imported_to_list_or_to_help(pmg: Pmg, arguments: tuple[str, ...]) -> None:
    program = (
        "import sys\n"
        "from pmg_sdk.cli import main\n"
        f"main({list(arguments)!r}, standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'open_clip', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_that_of_the_package(pmg: Pmg) -> None:
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'version = "{__version__}"' in pyproject
    assert pmg("--version").stdout.strip() == f"pmg, version {__version__}"
