"""`import pmg_sdk`: a small surface that costs next to nothing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pmg_sdk

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(set(pmg_sdk.__all__) - {"__version__"}))
def test_every_public_name_is_the_one_of_its_home_module(name: str) -> None:
    home = importlib.import_module(pmg_sdk._MODULE_OF[name])
    assert getattr(pmg_sdk, name) is vars(home)[name]
    assert name in home.__all__


def test_type_checkers_see_the_same_names_as_users() -> None:
    """The import list that is read by people and type checkers is the one that is looked up."""
    tree = ast.parse(Path(pmg_sdk.__file__).read_text())
    listed = {
        (node.module, alias.name)
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert listed == {(module, name) for name, module in pmg_sdk._MODULE_OF.items()}
    assert {name for _, name in listed} | {"__version__"} == set(pmg_sdk.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Pipelin"):
        _ = pmg_sdk.Pipelin


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == pmg_sdk.__version__


def test_importing_the_sdk_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'diffusers', 'PIL', 'rich', 'numpy', 'pydantic'}"
    ask = f"import sys, pmg_sdk; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_building_a_pipeline_class_imports_no_framework() -> None:
    ask = (
        "import sys; from pmg_sdk import PMGPipeline, Result, Scenario; "
        "print(sorted({'torch', 'transformers', 'diffusers', 'PIL', 'rich'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
