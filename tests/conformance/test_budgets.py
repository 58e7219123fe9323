"""What an import and a start may cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmg_conformance import Entry, check_adapter
from pmg_conformance.check import find_check
from pmg_conformance.checks.budgets import BUDGETS, FRAMEWORK_MEMORY, MEMORY, MODEL_RATIO
from pmg_conformance.cold_start import ColdStart, cold_start, measured_import, model_bytes
from pmg_conformance.engine import check_subject, run_check
from pmg_conformance.reference import ReferenceScorer
from pmg_conformance.subject import Aids
from pmg_conformance.target import find

from .conftest import Pmg

REFERENCE = "pmg_conformance.reference:ReferenceScorer"
MIB = 2**20


def memory(grown: int, *, framework: bool = False, model: str = "nowhere") -> Entry:
    """The entry of the memory check for a start that takes so much."""
    subject = find(lambda model: None, kind="scorer", options={"model": model})
    subject.cold_start = ColdStart(1.0, grown, framework)
    return run_check(find_check("PMG-ANY-043"), subject)


def test_a_start_is_measured_in_a_process_of_its_own() -> None:
    started = cold_start(find(REFERENCE))
    assert 0 < started.seconds < 60
    assert started.grown is None or 0 <= started.grown < 64 * MIB
    assert not started.framework


def test_an_import_is_measured_with_what_everybody_needs() -> None:
    whole, interfaces = measured_import("pmg_conformance.reference.scorer")
    assert 0 < interfaces < whole


def test_an_import_that_fails_is_told() -> None:
    with pytest.raises(AssertionError, match="No module named 'no_such_module'"):
        measured_import("no_such_module")


@pytest.mark.parametrize(("stated", "outcome"), [(60.0, "pass"), (1e-9, "fail")])
def test_the_first_answer_has_a_budget(stated: float, outcome: str, pmg: Pmg) -> None:
    report = check_adapter(REFERENCE, only=["PMG-ANY-042"], aids=Aids(budget_seconds=stated))
    assert report.entries[0].outcome == outcome
    done = pmg("conformance", REFERENCE, "--only", "PMG-ANY-042", "--budget-seconds", str(stated))
    assert f"1 {outcome}" in done.stdout
    assert (f"--budget-seconds {stated}" in done.stdout) == (outcome == "fail")


def test_who_goes_further_may_wait_longer() -> None:
    assert BUDGETS["smoke"] < BUDGETS["core"] < BUDGETS["full"]
    subject = find(REFERENCE)
    subject.cold_start = ColdStart(BUDGETS["core"] + 1, 0, False)
    report = check_subject(subject, tier="full", only=["PMG-ANY-042"])
    assert (report.passed, subject.tier) == (True, "full")


def test_memory_is_compared_with_the_files_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    with (tmp_path / "weights" / "model.bin").open("wb") as file:
        file.truncate(50 * MIB)
    model = str(tmp_path)
    assert model_bytes({"model": model, "steps": 3}) == 50 * MIB
    enough = MEMORY + MODEL_RATIO * 50 * MIB
    assert memory(enough, model=model).outcome == "pass"
    failed = memory(enough + 100 * MIB, model=model)
    assert failed.failure is not None
    assert failed.failure.got == f"{enough // MIB + 100} MiB"


def test_memory_of_a_model_that_nobody_can_look_at_is_not_judged() -> None:
    assert model_bytes({"model": "nowhere", "steps": 3}) is None
    assert memory(MEMORY // 2).outcome == "pass"
    entry = memory(MEMORY + 100 * MIB)
    assert (entry.outcome, "local folder" in entry.reason) == ("not-run", True)
    assert memory(FRAMEWORK_MEMORY, framework=True).outcome == "pass"


def test_what_no_other_process_can_make_is_not_measured() -> None:
    report = check_adapter(ReferenceScorer, only=["PMG-ANY-041", "PMG-ANY-042", "PMG-ANY-043"])
    assert report.counts["not-run"] == 3
