"""Who claims to be exact is compared bit by bit; the others within tolerances."""

from __future__ import annotations

import pytest

from pmg_conformance import check_adapter
from pmg_conformance.mutants.text_encoder import RoundsByTheBatch
from pmg_conformance.reference import ReferenceTextEncoder

CHECK = "PMG-ANY-025"
EXACT = frozenset({"exact"})


@pytest.mark.parametrize(("declared", "outcome"), [(EXACT, "fail"), (frozenset(), "not-claimed")])
def test_rounding_fails_only_who_claims_to_be_exact(declared: frozenset[str], outcome: str) -> None:
    report = check_adapter(RoundsByTheBatch, declared=declared, only=[CHECK, "PMG-ANY-014"])
    exact, tolerant = report.entries
    assert (exact.outcome, tolerant.outcome) == (outcome, "pass")


def test_the_claim_is_not_passed_before_another_process_was_tried() -> None:
    name = "pmg_conformance.reference:ReferenceTextEncoder"
    assert check_adapter(name, declared=EXACT, only=[CHECK]).passed
    report = check_adapter(ReferenceTextEncoder, declared=EXACT, only=[CHECK])
    assert report.counts["not-run"] == 1
