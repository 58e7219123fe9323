"""The reference adapters and the scenarios that ship keep the contract, in full."""

from __future__ import annotations

import pytest

from pmg_conformance import check_adapter
from pmg_conformance.abilities import ABILITIES, PROMISES
from pmg_conformance.engine import check_subject
from pmg_conformance.kill_matrix import references
from pmg_conformance.reference.aids import reference_aids
from pmg_conformance.reference.plugin import pmg_adapters
from pmg_conformance.subject import Subject
from pmg_sdk.plugins import registry


@pytest.mark.parametrize(
    "subject", list(references(reference_aids)), ids=lambda subject: f"{subject.kind} {subject.name}"
)
def test_a_reference_conforms_and_nothing_of_its_role_is_left_untried(subject: Subject) -> None:
    report = check_subject(subject, tier="core")
    assert report.passed, report.summary
    assert report.counts["not-run"] == 0


def test_every_optional_ability_is_claimed_by_a_reference() -> None:
    claimed = frozenset[str]().union(*(spec.capabilities for spec in pmg_adapters()))
    assert claimed == {*ABILITIES, *PROMISES}


@pytest.mark.parametrize("name", ["LanguageModel", "Captioner", "Generator"])
def test_a_class_is_checked_by_its_name_alone(name: str) -> None:
    report = check_adapter(f"pmg_conformance.reference:Reference{name}", tier="smoke")
    assert report.passed, report.summary


def test_the_emoticons_scenario_conforms() -> None:
    report = check_adapter("pmg_scenarios.emoticons.scenario:EMOTICONS")
    assert report.passed, report.summary


def test_users_do_not_meet_the_references() -> None:
    assert "reference" not in {spec.name for spec in (*registry().adapters(), *registry().scenarios())}
