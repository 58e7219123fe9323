"""What a mutant is, and the registry of all of them."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pmg_conformance.check import Kind
from pmg_conformance.golden import adapter_name, record
from pmg_conformance.reference.plugin import pmg_adapters
from pmg_conformance.subject import Aids, Subject
from pmg_conformance.target import find
from pmg_sdk.plugins import AdapterSpec, ScenarioSpec
from pmg_sdk.scenario import Scenario

__all__ = ["Mutant", "mutant", "mutants", "wrong_module", "wrong_scenario"]

Made = TypeVar("Made", bound=type)


@dataclass(frozen=True, eq=False)
class Mutant:
    """One way to be wrong.

    Attributes:
        name: unique within the kind, words with dashes.
        kind: what it pretends to be.
        target: a class, "module:Class" where another process has to make it, or a scenario.
        wrong: what is wrong with it, in a sentence.
        killed_by: the check that must notice.
        declared: abilities it claims.
        spec: its record in a registry, for what only that can show.
        before: what it was when its golden file was recorded.
        options: it is made with.
        budget_seconds: see `Aids`.
    """

    name: str
    kind: Kind
    target: str | type | Scenario
    wrong: str
    killed_by: str
    declared: frozenset[str] | None = None
    spec: AdapterSpec | ScenarioSpec | None = None
    before: type | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    budget_seconds: float | None = None

    def subject(self, aids: Aids | None = None) -> Subject:
        """A new subject for checks."""
        kind = None if self.kind == "scenario" else self.kind
        found = find(self.target, kind=kind, options=self.options, declared=self.declared, aids=aids)
        found.spec = self.spec
        if self.budget_seconds is not None:
            found.aids = dataclasses.replace(found.aids, budget_seconds=self.budget_seconds)
        if self.before is not None:
            known = record(find(self.before, kind=kind, aids=aids))
            golden = known.model_copy(update={"adapter": adapter_name(found)})
            found.aids = dataclasses.replace(found.aids, golden=golden)
        return found


_MUTANTS: list[Mutant] = []
_CLAIMED: dict[Kind, frozenset[str]] = {
    spec.role: spec.capabilities for spec in pmg_adapters() if spec.name == "reference"
}


def mutant(
    kind: Kind,
    killed_by: str,
    *,
    named: bool = False,
    declared: frozenset[str] | None = None,
    spec: AdapterSpec | None = None,
    before: type | None = None,
    options: Mapping[str, Any] | None = None,
    budget_seconds: float | None = None,
) -> Callable[[Made], Made]:
    """Register a class as a mutant; its docstring says what is wrong with it.

    Args:
        named: whether checks know it as "module:Class", so that another process can make it.
        declared: what it claims; by default what the reference of its role does.
        before: what it was when its golden file was recorded.
        options: it is made with.
        budget_seconds: see `Aids`.
    """

    def register(made: Made) -> Made:
        claims = _CLAIMED[kind] if declared is None else declared
        target = f"{made.__module__}:{made.__name__}" if named else made
        wrong = inspect.cleandoc(made.__dict__["__doc__"])
        words = re.findall(r"[A-Z][a-z]*", made.__name__)
        name, told = "-".join(words).lower(), " ".join(wrong.split())
        _MUTANTS.append(
            Mutant(name, kind, target, told, killed_by, claims, spec, before, options or {}, budget_seconds)
        )
        return made

    return register


def wrong_scenario(
    name: str, killed_by: str, scenario: Scenario, wrong: str, spec: ScenarioSpec | None = None
) -> None:
    """Register a scenario as a mutant."""
    _MUTANTS.append(Mutant(name, "scenario", scenario, wrong, killed_by, spec=spec))


def wrong_module(name: str, kind: Kind, killed_by: str, target: str, wrong: str) -> None:
    """Register a mutant that only who checks it imports, as its import is what is wrong."""
    _MUTANTS.append(Mutant(name, kind, target, wrong, killed_by, _CLAIMED[kind]))


def mutants(kind: Kind | None = None) -> tuple[Mutant, ...]:
    """All mutants, or those of a kind."""
    from pmg_conformance.mutants import (  # noqa: F401  fills the registry
        captioner,
        framework,
        generator,
        generator_conduct,
        llm,
        scenario,
        scorer,
        soft_preference,
        text_encoder,
        training,
    )

    return tuple(each for each in _MUTANTS if kind in (None, each.kind))
