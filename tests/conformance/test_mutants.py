"""Every check notices what it is there for."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from pmg_conformance.check import ANY, Kind, checks, find_check
from pmg_conformance.engine import run_check
from pmg_conformance.mutants import Mutant, mutants
from pmg_conformance.reference.aids import reference_aids


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: f"{mutant.kind} {mutant.name}")
def test_a_mutant_is_killed_by_the_check_that_is_meant_for_it(
    mutant: Mutant, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    entry = run_check(find_check(mutant.killed_by), mutant.subject(reference_aids()))
    assert entry.outcome == "fail"
    assert entry.failure is not None
    assert entry.failure.got


def test_every_required_check_is_meant_for_a_mutant() -> None:
    required = {check.id for check in checks() if not check.provisional}
    assert required <= {mutant.killed_by for mutant in mutants()}


@pytest.mark.parametrize("kind", sorted({*get_args(Kind)} - {ANY}))
def test_every_kind_has_mutants_of_its_own(kind: Kind) -> None:
    assert len(mutants(kind)) >= 3


def test_a_mutant_has_a_name_of_its_own_and_says_what_is_wrong() -> None:
    names = Counter((mutant.kind, mutant.name) for mutant in mutants())
    assert set(names.values()) == {1}
    assert all(mutant.wrong.endswith(".") for mutant in mutants())
