"""Checks are told apart by ids that last, and explain themselves."""

from __future__ import annotations

import re

import pytest

from pmg_conformance import SPEC_VERSION, Check, check, checks
from pmg_conformance.check import find_check
from pmg_sdk.errors import InputError

PUBLISHED = {
    "ANY": (1, 2, 3, 4, 5, 6, *range(10, 17), *range(20, 27), 30, *range(40, 44)),
    "LLM": range(1, 9),
    "CAP": range(1, 4),
    "TXT": range(1, 9),
    "SOFT": range(1, 8),
    "GEN": range(1, 34),
    "SCO": range(1, 8),
    "SCN": range(1, 10),
}
"""Waivers, reports and advice elsewhere name checks by these: add to them, never take one away."""


def test_published_ids_stay() -> None:
    published = {f"PMG-{role}-{number:03}" for role, numbers in PUBLISHED.items() for number in numbers}
    assert published <= {each.id for each in checks()}


@pytest.mark.parametrize("each", checks(), ids=lambda each: each.id)
def test_a_check_says_what_why_and_what_to_do(each: Check) -> None:
    assert re.fullmatch(r"PMG-(ANY|LLM|CAP|TXT|SOFT|GEN|SCO|SCN)-\d{3}", each.id)
    assert all(text.endswith(".") for text in (each.title, each.rationale, each.advice))
    assert each.since <= SPEC_VERSION


@pytest.mark.parametrize("id", ["PMG-GEN-4", "GEN-900", "PMG-GEN-004"])
def test_an_id_is_well_formed_and_nobody_elses(id: str) -> None:
    with pytest.raises(ValueError, match="looks like PMG-GEN-014 and is its own"):

        @check(id, "generator", "smoke", advice="Do.")
        def a_check(subject: object) -> None:
            """It holds.

            It must.
            """


def test_a_check_without_a_reason_is_none() -> None:
    with pytest.raises(ValueError, match="the reason"):

        @check("PMG-GEN-999", "generator", "smoke", advice="Do.")
        def a_check(subject: object) -> None:
            """It holds."""


def test_a_role_meets_its_own_checks_and_those_for_everybody() -> None:
    assert {each.kind for each in checks("llm")} == {"any", "llm"}
    assert {each.kind for each in checks("scenario")} == {"scenario"}
    assert {each.tier for each in checks("llm", "smoke")} == {"smoke"}


def test_a_misspelt_id_is_answered_with_near_ones() -> None:
    assert find_check("pmg-gen-004").id == "PMG-GEN-004"
    with pytest.raises(InputError, match=r"Did you mean .*PMG-GEN-014"):
        find_check("PMG-GEN-14")
