"""The engine's door for pytest: one class to subclass, one test for every check.

    from pmg_conformance.suite import GeneratorConformance

    class TestMyGenerator(GeneratorConformance):
        target = "my_package:MyGenerator"
        options = {"model": "tests/tiny"}

`pytest -k PMG-GEN-014` runs one check.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pmg_conformance.check import Check, Kind, Tier, checks
from pmg_conformance.engine import Run
from pmg_conformance.report import Entry
from pmg_conformance.subject import Aids
from pmg_conformance.target import find
from pmg_conformance.waivers import Waiver, load_waivers
from pmg_sdk.errors import PMGError

__all__ = [
    "CaptionerConformance",
    "ConformanceWarning",
    "GeneratorConformance",
    "LanguageModelConformance",
    "ScenarioConformance",
    "ScorerConformance",
    "SoftPreferenceEncoderConformance",
    "TextEncoderConformance",
]


class ConformanceWarning(UserWarning):
    """A provisional check failed; in a later version it will count."""


class _Conformance:
    """What the classes below share.

    Attributes:
        target: a registered name, "module:Class", a class or function that makes adapters, or one made.
        options: for the factory.
        declared: optional abilities it claims, where no plugin's spec says them.
        tier: how far to go: "smoke", "core" or "full".
        waivers: known failures: a TOML file, beside the test's own where its path is relative; or a
            mapping of check ids to a `Waiver` or its fields.
        golden: a file that `pmg conformance record` wrote, beside the test's own where its path is relative.
    """

    kind: ClassVar[Kind]
    target: ClassVar[Any]
    options: ClassVar[Mapping[str, Any]] = {}
    declared: ClassVar[frozenset[str] | None] = None
    tier: ClassVar[Tier] = "core"
    waivers: ClassVar[str | Path | Mapping[str, Waiver | Mapping[str, Any]]] = {}
    golden: ClassVar[str | Path | None] = None

    def aids(self) -> Aids:
        """What some checks need besides the adapter; a check whose aid is missing is skipped."""
        return Aids()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test for every check."""
        if "conformance_check" in metafunc.fixturenames:
            metafunc.parametrize("conformance_check", checks(self.kind, self.tier), ids=lambda each: each.id)

    def test_conformance(self, conformance_check: Check) -> None:
        """Hold the adapter to one check."""
        _settle(_run_of(type(self)).entry(conformance_check))

    def test_waivers_name_checks(self) -> None:
        """Hold the waivers to ids that there are."""
        for entry in _run_of(type(self)).stray_waivers():
            _settle(entry)

    @classmethod
    def teardown_class(cls) -> None:
        """Let go of the adapter and its weights."""
        _RUNS.pop(cls, None)


class GeneratorConformance(_Conformance):
    """Holds a `Generator` to the contract."""

    kind = "generator"


class ScorerConformance(_Conformance):
    """Holds a `Scorer` to the contract."""

    kind = "scorer"


class CaptionerConformance(_Conformance):
    """Holds a `Captioner` to the contract."""

    kind = "captioner"


class LanguageModelConformance(_Conformance):
    """Holds a `LanguageModel` to the contract."""

    kind = "llm"


class TextEncoderConformance(_Conformance):
    """Holds a `TextEncoder` to the contract."""

    kind = "text_encoder"


class SoftPreferenceEncoderConformance(_Conformance):
    """Holds a `SoftPreferenceEncoder` to the contract."""

    kind = "soft_preference"


class ScenarioConformance(_Conformance):
    """Holds a `Scenario` to the contract."""

    kind = "scenario"


_RUNS: dict[type[_Conformance], Callable[[], Run]] = {}
"""Class -> its one subject, which remembers what failed before; made by its first test."""


def _run_of(suite: type[_Conformance]) -> Run:
    """The run of a class of tests; the test fails where there is nothing to run on."""
    try:
        return _RUNS.setdefault(suite, functools.cache(functools.partial(_made, suite)))()
    except PMGError as error:
        problem = str(error)
    pytest.fail(f"{suite.__name__}: {problem}", pytrace=False)


def _made(suite: type[_Conformance]) -> Run:
    if not hasattr(suite, "target"):
        pytest.fail(f'{suite.__name__}: say what to check: target = "my_package:MyClass"', pytrace=False)
    aids = suite().aids()
    if suite.golden is not None:
        aids = aids.with_golden(Path(inspect.getfile(suite)).parent / suite.golden)
    subject = find(
        suite.target,  # of the class: of an instance, a function would be a method
        kind=suite.kind,
        options=suite.options,
        declared=suite.declared,
        aids=aids,
    )
    subject.tier = suite.tier
    return Run(subject, _waivers(suite))


def _waivers(suite: type[_Conformance]) -> dict[str, Waiver]:
    stated = suite.waivers
    if isinstance(stated, str | Path):
        return load_waivers(Path(inspect.getfile(suite)).parent / stated)
    return {id: Waiver.model_validate(fields) for id, fields in stated.items()}


def _settle(entry: Entry) -> None:
    """The entry's outcome, as pytest has it."""
    if entry.outcome == "fail" and entry.provisional:
        warnings.warn(f"provisional: {entry.explanation}", ConformanceWarning, stacklevel=2)
    elif entry.outcome == "fail":
        pytest.fail(entry.explanation, pytrace=False)
    elif entry.outcome == "waived":
        pytest.xfail(entry.reason)
    elif entry.outcome != "pass":
        pytest.skip(f"{entry.outcome}: {entry.reason}")
