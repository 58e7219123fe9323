"""Finding adapters: what works is found, what is broken is named and takes nothing else down."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pluggy
import pytest

from pmg_conformance.reference import ReferenceScorer
from pmg_sdk.errors import (
    AdapterLoadError,
    AdapterNotFound,
    ConfigError,
    MissingExtra,
    PluginError,
    ScenarioNotFound,
)
from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec, Origin, Registry, ScenarioSpec

SCORER = AdapterSpec("toy", "scorer", "pmg_conformance.reference:ReferenceScorer", modality="image")


def plugin_of(*specs: Any) -> Any:
    """A plugin that brings adapters."""

    @hookimpl
    def pmg_adapters() -> tuple[Any, ...]:
        return specs

    return SimpleNamespace(pmg_adapters=pmg_adapters)


def registry_of(*specs: Any, origin: Origin | str = "test") -> Registry:
    made = Registry(strict=True)
    made.register(plugin_of(*specs), origin)
    return made


def installed(folder: Path, modules: dict[str, str], distribution: str = "acme") -> list[EntryPoint]:
    """Write modules and a distribution that announces them, as pip would install it."""
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    info = folder / f"{distribution}-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text("[pmg_sdk]\n" + "\n".join(f"{name} = {name}" for name in modules))
    from importlib.metadata import distributions

    return [
        entry_point
        for found in distributions(path=[str(folder)])
        for entry_point in found.entry_points.select(group="pmg_sdk")
    ]


GOOD = """
from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

@hookimpl
def pmg_adapters():
    return [AdapterSpec("{name}", "scorer", "pmg_conformance.reference:ReferenceScorer")]
"""


def test_an_adapter_is_made_by_role_and_name() -> None:
    assert isinstance(registry_of(SCORER).create("scorer", "toy"), ReferenceScorer)


def test_the_distribution_and_version_of_an_adapter_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Registry.from_entry_points(installed(tmp_path, {"acme_a": GOOD.format(name="a")}))
    assert found.origin(found.adapter("scorer", "a")) == Origin("acme_a", "acme", "2.5")


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("import a_package_nobody_has", "a_package_nobody_has"),
        ("raise RuntimeError('boom')", "boom"),
        ("def oops(:", "SyntaxError"),
        (GOOD.format(name="b").replace("def pmg_adapters", "def pmg_adaptors"), "pmg_adaptors"),
        (GOOD.format(name="b").replace("()", "(surprise)", 1), "surprise"),
        (GOOD.format(name="b").replace("return [", "return 1/0, ["), "ZeroDivisionError"),
        (GOOD.format(name="Not A Name"), "Not A Name"),
        (GOOD.format(name="b").replace('"scorer"', '"scorrer"'), "scorrer"),
        (
            GOOD.format(name="b").replace('"pmg_conformance.reference:R', '"pmg_conformance.reference.R'),
            "package.module:Name",
        ),
        (GOOD.format(name="b").replace("return [AdapterSpec", "return [str"), "PluginError|TypeError|str"),
        (GOOD.format(name="b").replace("@hookimpl", ""), "is @hookimpl missing"),
        (GOOD.format(name="b").replace('Scorer")', 'Scorer", api_version=99)'), "api_version 99"),
    ],
)
def test_a_broken_plugin_is_named_and_the_rest_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, complaint: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("acme_good", "acme_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    entry_points = installed(tmp_path, {"acme_broken": broken, "acme_good": GOOD.format(name="good")})
    found = Registry.from_entry_points(entry_points)
    (problem,) = found.problems()
    assert problem.origin == Origin("acme_broken", "acme", "2.5")
    assert any(part in problem.message for part in complaint.split("|"))
    assert [spec.name for spec in found.adapters()] == ["good"]


def test_strict_turns_the_first_problem_into_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_points = installed(tmp_path, {"acme_strict": "raise RuntimeError('boom')"})
    with pytest.raises(PluginError, match=r"acme_strict.*acme 2.5.*boom"):
        Registry.from_entry_points(entry_points, strict=True)


def test_third_parties_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    ours = installed(tmp_path, {"first_party_a": GOOD.format(name="ours")}, distribution="pmg_sdk")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.syspath_prepend(str(other))
    theirs = installed(other, {"acme_third": GOOD.format(name="theirs")})
    found = Registry.from_entry_points([*theirs, *ours], third_party=False)
    assert [spec.name for spec in found.adapters()] == ["ours"]


def test_the_environment_switches_reach_the_registry(tmp_path: Path) -> None:
    """In fresh processes, since plugins are read once: all, first party only, strict."""
    installed(tmp_path, {"acme_env": GOOD.format(name="env-toy"), "acme_env_broken": "1/0"})
    ask = "from pmg_sdk import registry; print([s.name for s in registry().adapters()])"
    root = str(Path(__file__).parents[2])

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        import os

        paths = {"PYTHONPATH": f"{root}:{tmp_path}"}
        return subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, **paths, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    assert "env-toy" in run().stdout
    assert "env-toy" not in run(PMG_PLUGINS="0").stdout
    assert "acme_env_broken" in run(PMG_PLUGINS_STRICT="1").stderr


def test_listing_adapters_imports_no_torch() -> None:
    ask = (
        "import sys; from pmg_sdk import registry; registry().adapters(); "
        "sys.exit(bool({'torch', 'transformers', 'diffusers'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[2])
    assert subprocess.run([sys.executable, "-c", ask], cwd=root, check=False).returncode == 0


def test_a_name_is_taken_once() -> None:
    found = Registry()
    found.register(plugin_of(SCORER), Origin("first", "one", "1.0"))
    found.register(plugin_of(SCORER), Origin("second", "two", "2.0"))
    (problem,) = found.problems()
    assert problem.origin.plugin == "second"
    assert "'first' (one 1.0)" in problem.message
    assert found.origin(SCORER).plugin == "first"


def test_two_distributions_with_one_entry_point_name_are_noticed() -> None:
    found = Registry()
    found.register(plugin_of(SCORER), Origin("same", "one", "1.0"))
    found.register(plugin_of(AdapterSpec("other", "llm", "m:C")), Origin("same", "two", "2.0"))
    assert "already taken by one 1.0" in str(found.problems()[0])


def test_nobody_takes_the_place_of_what_ships_with_the_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    theirs = installed(tmp_path, {"aaa_shadow": GOOD.format(name="clip")}, distribution="aaa")
    ours = installed(tmp_path, {"zzz_ours": GOOD.format(name="clip")}, distribution="pmg_sdk")
    found = Registry.from_entry_points(theirs + [point for point in ours if point.name == "zzz_ours"])
    assert found.origin(found.adapter("scorer", "clip")).plugin == "zzz_ours"


def test_an_unknown_name_suggests_near_ones() -> None:
    with pytest.raises(AdapterNotFound, match="Did you mean 'toy'"):
        registry_of(SCORER).adapter("scorer", "toi")
    with pytest.raises(ScenarioNotFound, match=r"no scenario is called 'emotions'.*Known: none"):
        Registry().scenario("emotions")


def test_an_unknown_name_points_at_plugins_that_failed() -> None:
    found = Registry()
    found.register(SimpleNamespace(), "hollow")
    with pytest.raises(AdapterNotFound, match="'hollow'"):
        found.adapter("llm", "toy")


def test_a_missing_package_names_the_extra_to_install() -> None:
    spec = AdapterSpec("far", "scorer", "m:C", extra="image", requires=("a_package_nobody_has",))
    with pytest.raises(MissingExtra, match=r'pip install "pmg-sdk\[image\]"'):
        registry_of(spec).create("scorer", "far")
    theirs = registry_of(spec, origin=Origin("x", "acme", "1"))
    with pytest.raises(MissingExtra, match=r'pip install "acme\[image\]"'):
        theirs.create("scorer", "far")


def test_a_package_missing_at_import_names_the_extra_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "acme_heavy.py").write_text("import a_package_nobody_has\nclass C: ...\n")
    spec = AdapterSpec("heavy", "scorer", "acme_heavy:C", extra="audio")
    with pytest.raises(MissingExtra, match=r'a_package_nobody_has.*"pmg-sdk\[audio\]"'):
        registry_of(spec).create("scorer", "heavy")


@pytest.mark.parametrize(
    "factory",
    ["no_such_module:C", "pmg_conformance.reference:NoSuchClass", "pmg_conformance.reference.world:SPACE"],
)
def test_a_class_that_cannot_be_made_is_a_load_error(factory: str) -> None:
    with pytest.raises(AdapterLoadError, match=factory):
        registry_of(AdapterSpec("x", "scorer", factory)).create("scorer", "x")


def test_an_adapter_must_fill_the_role_it_claims() -> None:
    spec = AdapterSpec("x", "generator", "pmg_conformance.reference:ReferenceScorer")
    with pytest.raises(AdapterLoadError, match=r"expected to be a Generator; it makes ReferenceScorer"):
        registry_of(spec).create("generator", "x")


def test_a_misspelt_option_is_named() -> None:
    spec = AdapterSpec("x", "text_encoder", "pmg_conformance.reference:ReferenceTextEncoder")
    with pytest.raises(ConfigError, match="no option 'max_token'; did you mean 'max_tokens'"):
        registry_of(spec).create("text_encoder", "x", {"max_token": 3})


def test_an_adapter_of_another_modality_is_refused() -> None:
    with pytest.raises(ConfigError, match="for audio was expected; 'toy' is for image"):
        registry_of(SCORER).create("scorer", "toy", modality="audio")


def test_scenarios_have_unique_names_too() -> None:
    @hookimpl
    def pmg_scenarios() -> list[ScenarioSpec]:
        return [ScenarioSpec("s", "m:A"), ScenarioSpec("s", "m:B")]

    found = Registry()
    found.register(SimpleNamespace(pmg_scenarios=pmg_scenarios), "test")
    assert [spec.factory for spec in found.scenarios()] == ["m:A"]
    assert "already registered" in found.problems()[0].message


def test_a_foreign_hookimpl_marker_is_not_ours() -> None:
    other = pluggy.HookimplMarker("another_project")

    @other
    def pmg_adapters() -> list[AdapterSpec]:
        return [SCORER]

    found = Registry()
    found.register(SimpleNamespace(pmg_adapters=pmg_adapters), "test")
    assert not found.adapters()
    assert found.problems()
