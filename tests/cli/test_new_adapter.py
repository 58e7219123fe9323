"""`pmg new-adapter` writes a package that works and conforms at once, whole or not at all."""

from __future__ import annotations

import ast
import importlib
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, get_args

import pytest

from pmg_conformance import check_adapter, new_adapter
from pmg_sdk.cli.new_adapter import ROLES
from pmg_sdk.errors import StorageError
from pmg_sdk.interfaces import Role
from pmg_sdk.plugins import AdapterSpec, Registry

from .conftest import Pmg


def spec_of(folder: Path) -> AdapterSpec:
    """The one adapter that a written package registers, read as the registry reads it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, value),) = project["entry-points"]["pmg_sdk"].items()
    plugin: Any = EntryPoint(name, value, "pmg_sdk").load()
    registry = Registry(strict=True)
    registry.register(plugin, name)
    (spec,) = registry.adapters()
    return spec


def test_every_role_can_be_written() -> None:
    assert get_args(Role) == ROLES


@pytest.mark.parametrize("role", ROLES)
def test_a_new_adapter_conforms_as_it_is(pmg: Pmg, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"fresh-{role.replace('_', '-')}"
    done = pmg("new-adapter", name, "--role", role, "--out", "made")
    assert done.exit_code == 0, done.output
    folder = Path("made", name).resolve()
    monkeypatch.syspath_prepend(str(folder))
    spec = spec_of(folder)
    assert (spec.name, spec.role) == (name, role)
    report = check_adapter(spec.factory, declared=spec.capabilities, tier="core")
    assert report.passed, report.to_json()


@pytest.mark.parametrize("role", ROLES)
def test_its_test_holds_the_adapter_to_the_contract_of_its_role(pmg: Pmg, role: Role) -> None:
    pmg("new-adapter", "sunny", "--role", role)
    tree = ast.parse(Path("sunny/tests/test_conformance.py").read_text(encoding="utf-8"))
    (test,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    (base,) = test.bases
    interface = {"llm": "LanguageModel"}.get(role, role.title().replace("_", ""))
    interface = {"SoftPreference": "SoftPreferenceEncoder"}.get(interface, interface)
    assert ast.unparse(base) == f"{interface}Conformance"
    assert f'target = "sunny.{role}:Sunny{interface}"' in ast.unparse(test).replace("'", '"')


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_the_template_shows(pmg: Pmg, role: Role) -> None:
    pmg("new-adapter", "sunny", "--role", role)
    for path in (path for path in Path("sunny").rglob("*") if path.is_file()):
        text = f"{path} {path.read_text(encoding='utf-8')}".lower()
        left = [word for word in ("my-adapter", "my_adapter", "myadapter", "next step") if word in text]
        assert not left, path


@pytest.mark.parametrize(
    "name",
    [
        *("", "Sunny", "1sunny", "sunny_stickers", "sunny--stickers", "-sunny", "sunny-", "../sunny", "a/b"),
        *("сонце", "x" * 41, "class", "json", "tests", "numpy"),
    ],
)
def test_a_name_that_cannot_be_a_package_is_refused(pmg: Pmg, name: str) -> None:
    done = pmg("new-adapter", "--role", "llm", "--", name)
    assert done.exit_code == 1
    assert "Choose another name" in done.stderr or "like sunny-stickers" in done.stderr
    assert list(Path().iterdir()) == []


def test_the_name_of_a_registered_adapter_is_refused(pmg: Pmg) -> None:
    done = pmg("new-adapter", "reference", "--role", "scorer")
    assert done.exit_code == 1
    assert "registered already" in done.stderr


def test_a_folder_that_is_there_is_left_alone(pmg: Pmg) -> None:
    Path("sunny").mkdir()
    Path("sunny/mine.txt").write_text("mine")
    done = pmg("new-adapter", "sunny", "--role", "scorer")
    assert done.exit_code == 1
    assert "is there already" in done.stderr
    assert [path.name for path in Path("sunny").iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_told_in_one_line(pmg: Pmg) -> None:
    Path("file").write_text("no folder")
    done = pmg("new-adapter", "sunny", "--role", "scorer", "--out", "file")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "cannot write" in done.stderr


def test_a_package_is_written_whole_or_not_at_all(pmg: Pmg, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def full_at_the_third(path: Path, text: str) -> Path:
        if len(written) == 2:
            raise StorageError(f"cannot write {path}: No space left on device")
        written.append(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    monkeypatch.setattr(new_adapter, "write_text", full_at_the_third)
    done = pmg("new-adapter", "sunny", "--role", "scorer")
    assert done.exit_code == 1
    assert list(Path().iterdir()) == []


def test_what_is_written_can_be_imported_under_its_own_name(
    pmg: Pmg, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pmg("new-adapter", "oddly-2-named", "--role", "captioner").exit_code == 0
    monkeypatch.syspath_prepend(str(Path("oddly-2-named").resolve()))
    assert importlib.import_module("oddly_2_named.captioner").__all__ == ["Oddly2NamedCaptioner"]
