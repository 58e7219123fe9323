"""What comes out, and that nothing an adapter does breaks the suite."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from pmg_conformance import Entry, Outcome, Report, Waiver, check_adapter
from pmg_conformance.mutants.generator import IgnoresTheNegative
from pmg_conformance.mutants.llm import KeepsSpecialTokens
from pmg_conformance.reference import ReferenceCaptioner, ReferenceGenerator, ReferenceLanguageModel
from pmg_sdk.errors import InputError
from pmg_sdk.interfaces import Chat, LanguageModel

TODAY = dt.date.today()
HOLDS = Waiver(reason="mended in the next version", until=TODAY)
ENDED = Waiver(reason="mended in the next version", until=TODAY - dt.timedelta(days=1))


def of(report: Report, id: str) -> Entry:
    """The entry of one check."""
    (found,) = (entry for entry in report.entries if entry.id == id)
    return found


def outcomes(report: Report) -> set[Outcome]:
    """Every outcome that came out."""
    return {entry.outcome for entry in report.entries}


def test_what_holds_passes() -> None:
    report = check_adapter(ReferenceLanguageModel, only=["PMG-LLM-001"])
    assert report.passed
    assert of(report, "PMG-LLM-001").outcome == "pass"


def test_what_does_not_hold_fails_with_what_was_expected_and_what_came() -> None:
    report = check_adapter("pmg_conformance.mutants.llm:KeepsSpecialTokens", only=["PMG-LLM-001"])
    failure = of(report, "PMG-LLM-001").failure
    assert not report.passed
    assert failure is not None
    assert failure.expected == "no special tokens"
    assert "<|im_end|>" in failure.got
    assert failure.repro == (
        "pmg conformance repro PMG-LLM-001 pmg_conformance.mutants.llm:KeepsSpecialTokens --role llm"
    )


def test_an_ability_that_is_not_claimed_is_not_asked_for() -> None:
    report = check_adapter(ReferenceGenerator, options={"negative": False}, only=["PMG-GEN-010"])
    assert of(report, "PMG-GEN-010").outcome == "not-claimed"
    assert not report.passed  # nothing was shown


def test_an_ability_that_is_claimed_is_asked_for() -> None:
    assert of(check_adapter(IgnoresTheNegative, only=["PMG-GEN-010"]), "PMG-GEN-010").outcome == "fail"


def test_a_check_that_lacks_its_aid_is_not_run_and_says_what_it_needs() -> None:
    entry = of(check_adapter(ReferenceGenerator, only=["PMG-GEN-017"]), "PMG-GEN-017")
    assert entry.outcome == "not-run"
    assert "--scorer" in entry.reason


def test_after_a_smoke_failure_the_rest_of_smoke_runs_and_nothing_slower() -> None:
    report = check_adapter(KeepsSpecialTokens, tier="core")
    assert of(report, "PMG-LLM-001").outcome == "fail"
    assert of(report, "PMG-LLM-002").outcome == "pass"
    core = [entry for entry in report.entries if entry.tier == "core"]
    assert {entry.outcome for entry in core} == {"not-run"}
    assert {entry.reason for entry in core} == {"smoke checks failed: PMG-LLM-001"}


def test_a_waived_failure_does_not_count_and_stops_nothing() -> None:
    report = check_adapter(KeepsSpecialTokens, waivers={"PMG-LLM-001": HOLDS})
    entry = of(report, "PMG-LLM-001")
    assert (entry.outcome, entry.reason) == ("waived", f"mended in the next version (until {TODAY})")
    assert entry.failure is not None
    assert report.passed
    assert of(report, "PMG-ANY-013").outcome == "pass"


def test_a_waiver_that_ended_fails() -> None:
    report = check_adapter(KeepsSpecialTokens, only=["PMG-LLM-001"], waivers={"PMG-LLM-001": ENDED})
    failure = of(report, "PMG-LLM-001").failure
    assert not report.passed
    assert failure is not None
    assert "the waiver ended on" in failure.cause


def test_a_waiver_for_what_passes_fails() -> None:
    report = check_adapter(ReferenceLanguageModel, only=["PMG-LLM-001"], waivers={"PMG-LLM-001": HOLDS})
    failure = of(report, "PMG-LLM-001").failure
    assert not report.passed
    assert failure is not None
    assert "remove the waiver" in failure.cause


def test_a_waiver_for_no_check_fails() -> None:
    report = check_adapter(ReferenceLanguageModel, only=["PMG-LLM-001"], waivers={"PMG-LLM-999": HOLDS})
    assert not report.passed
    assert of(report, "PMG-LLM-999").outcome == "fail"


class Explodes(LanguageModel):
    """A language model that fails whatever it is asked."""

    def __init__(self, error: type[BaseException] = RuntimeError) -> None:
        self._error = error

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        raise self._error("it exploded")


class CannotBeMade(LanguageModel):
    """A language model whose weights are missing."""

    def __init__(self) -> None:
        raise OSError("no weights")

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        raise NotImplementedError


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, AssertionError, SystemExit])
def test_an_adapter_that_explodes_is_a_failure_and_no_crash(error: type[BaseException]) -> None:
    report = check_adapter(Explodes, options={"error": error}, tier="core")
    failure = of(report, "PMG-LLM-001").failure
    assert failure is not None
    assert failure.got == f"{error.__name__}: it exploded"
    assert failure.cause.startswith("test_engine.py:")


def test_ctrl_c_is_no_finding() -> None:
    with pytest.raises(KeyboardInterrupt):
        check_adapter(Explodes, options={"error": KeyboardInterrupt})


def test_where_nothing_can_be_made_there_is_nothing_to_check() -> None:
    report = check_adapter(CannotBeMade)
    first, *rest = report.entries
    assert (first.id, first.outcome) == ("PMG-ANY-001", "fail")
    assert {entry.outcome for entry in rest} == {"not-run"}
    assert {entry.reason for entry in rest} == {"PMG-ANY-001 failed: there is nothing to check"}


def test_entries_are_heard_of_as_they_come() -> None:
    heard: list[Entry] = []
    report = check_adapter(ReferenceCaptioner, tier="smoke", on_entry=heard.append)
    assert tuple(heard) == report.entries


def test_what_is_made_already_cannot_be_made_again() -> None:
    report = check_adapter(ReferenceCaptioner(), only=["PMG-ANY-022", "PMG-ANY-002"])
    assert outcomes(report) == {"not-run"}


def test_only_takes_ids_that_exist() -> None:
    with pytest.raises(InputError, match="Did you mean PMG-LLM-001"):
        check_adapter(ReferenceLanguageModel, only=["PMG-LLM-01"])


def test_checking_numpy_adapters_loads_no_torch() -> None:
    from pmg_conformance.process import run_python

    program = (
        "import sys\n"
        "from pmg_conformance import check_adapter\n"
        "assert check_adapter('pmg_conformance.reference:ReferenceScorer').passed\n"
        "answer('torch' in sys.modules)\n"
    )
    assert run_python(program) is False


def test_a_repro_says_what_only_python_can_give() -> None:
    wanting = check_adapter(
        "pmg_conformance.reference:ReferenceScorer", declared=frozenset({"loading"}), only=["PMG-ANY-003"]
    )
    (failed,) = wanting.failures
    assert failed.failure is not None
    assert failed.failure.repro == (
        "check_adapter('pmg_conformance.reference:ReferenceScorer', kind='scorer', "
        "declared=frozenset(['loading']), only=['PMG-ANY-003'])"
    )


def test_options_of_any_text_can_be_written() -> None:
    def made(note: str) -> ReferenceLanguageModel:
        return ReferenceLanguageModel()

    report = check_adapter(made, kind="llm", options={"note": "\udcff\x1b["}, tier="smoke")
    assert report.from_json(report.to_json()).options == {"note": "\\udcff\\x1b["}
