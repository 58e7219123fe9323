"""What an adapter answered once, in a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pmg_conformance import check_adapter
from pmg_conformance.golden import Golden, load_golden, record
from pmg_conformance.kill_matrix import references
from pmg_conformance.mutants.generator_conduct import FadesItsColours
from pmg_conformance.perceptual import delta_e, thumbnail
from pmg_conformance.reference import ReferenceGenerator, ReferenceLanguageModel, ReferenceTextEncoder
from pmg_conformance.subject import Aids, Subject
from pmg_conformance.target import find
from pmg_sdk.errors import AdapterError, InputError
from pmg_sdk.media import Image

from .conftest import Pmg

FILES = Path(__file__).with_name("golden")
CHECK = "PMG-ANY-026"
ENCODER = "pmg_conformance.reference:ReferenceTextEncoder"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Of the reference text encoder."""
    return record(find(ReferenceTextEncoder)).save(tmp_path / "golden.json")


def adapters() -> list[Subject]:
    """The references that have answers."""
    return [subject for subject in references(lambda modality: Aids()) if subject.kind != "scenario"]


@pytest.mark.parametrize("subject", adapters(), ids=lambda subject: f"{subject.kind} {subject.name}")
def test_the_references_answer_as_they_always_did(subject: Subject) -> None:
    known = load_golden(FILES / f"{subject.name.replace(' ', '-')}.json")
    known.must_fit(subject)
    known.compare(subject)


def test_a_file_keeps_all_that_was_recorded(recorded: Path) -> None:
    assert load_golden(recorded) == record(find(ReferenceTextEncoder))
    assert Golden.model_validate_json(recorded.read_bytes()).layers[0].answers == (3, 3, 4, 3)


def test_it_is_plain_data_and_text_stays_as_it_is() -> None:
    class Lists(ReferenceLanguageModel):
        def complete(self, prompts: object, **_: object) -> list[str]:  # type: ignore[override]
            return ["[\n 1,\n 2]"] * 4

    text = record(find(Lists)).to_json()
    assert json.loads(text)["layers"][-1]["answers"] == ["[\n 1,\n 2]"] * 4


def test_without_a_file_nothing_is_compared() -> None:
    report = check_adapter(ReferenceTextEncoder, only=[CHECK])
    assert report.counts["not-run"] == 1


def test_a_changed_adapter_is_caught_and_told_what_changed(recorded: Path) -> None:
    same = check_adapter(ENCODER, only=[CHECK], golden=recorded)
    assert same.passed
    other = check_adapter(ENCODER, only=[CHECK], golden=recorded, options={"max_tokens": 3})
    assert other.failures[0].failure is not None
    assert other.failures[0].failure.expected == "encode, item 2: a distance of at most 0.001 to the file"
    assert other.failures[0].failure.got == "shape (32,) instead of shape (40,)"
    assert other.failures[0].failure.cause.startswith("other options")
    assert other.failures[0].failure.repro.endswith(f"--golden {recorded}")


def test_a_picture_may_differ_in_what_nobody_sees() -> None:
    class Rounds(ReferenceGenerator):
        def generate(self, requests, observer=None):  # type: ignore[no-untyped-def]
            made = super().generate(requests, observer)
            return [Image(medium.picture().pixels // 2 * 2) for medium in made]

    known = record(find(ReferenceGenerator))
    known.compare(find(Rounds))
    with pytest.raises(AssertionError, match="generate, item 0"):
        known.compare(find(FadesItsColours))


def test_the_distance_is_that_of_the_eye() -> None:
    black, white, grey = (np.full((4, 4, 3), value, np.uint8) for value in (0, 255, 119))
    assert delta_e(black, white) == pytest.approx(100, abs=0.01)
    assert delta_e(grey, grey) == 0
    assert delta_e(grey, black) == pytest.approx(50, abs=0.2)  # the grey that is half as bright to the eye
    assert thumbnail(Image(np.full((3, 100, 3), 7, np.uint8))).shape == (16, 16, 3)


def test_other_sample_items_are_not_compared(recorded: Path) -> None:
    known = load_golden(recorded).model_copy(update={"items": "0" * 16})
    report = check_adapter(ReferenceTextEncoder, only=[CHECK], aids=Aids(golden=known))
    assert "other sample items" in report.entries[0].reason


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "scorer"}, "role text_encoder was expected; this one is of scorer"),
        ({"adapter": "some.where:Else"}, "this one is of some.where:Else"),
        ({"spec_version": "0.9"}, "this one is of 0.9"),
    ],
)
def test_a_file_of_something_else_is_refused(changed: dict[str, str], said: str, recorded: Path) -> None:
    recorded.write_text(json.dumps({**json.loads(recorded.read_text()), **changed}))
    with pytest.raises(InputError, match=said):
        check_adapter(ReferenceTextEncoder, golden=recorded)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[" * 10**5, '{"format": "another"}', "\x00", '{"layers": [{"name": "x", "answers": [NaN]}]}'],
)
def test_a_corrupt_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "golden.json").write_text(text)
    with pytest.raises(InputError, match="a golden file was expected"):
        load_golden(tmp_path / "golden.json")


def test_half_a_file_is_refused(recorded: Path) -> None:
    recorded.write_bytes(recorded.read_bytes()[:-20])
    with pytest.raises(InputError, match="a golden file was expected"):
        load_golden(recorded)


def test_what_has_no_answers_is_not_recorded(authored: str) -> None:
    with pytest.raises(InputError, match="a scenario has no answers"):
        record(find("pmg_conformance.reference.scenario:REFERENCE"))
    with pytest.raises(AdapterError, match=r"NeedsKey could not be recorded \(RuntimeError: no key"):
        record(find(f"{authored}:NeedsKey"))


def test_the_command_line_records_and_compares(pmg: Pmg, authored: str) -> None:
    sound = f"{authored}:Sound"
    assert pmg("conformance", "record", sound, "--out", "made/golden.json").stdout == "made/golden.json\n"
    given = ("--golden", "made/golden.json")
    assert "1 pass" in pmg("conformance", sound, "--only", CHECK, *given).stdout
    assert "outcome:      pass" in pmg("conformance", "repro", CHECK, sound, *given).stdout
    for command in (("conformance", ENCODER), ("conformance", "repro", CHECK, ENCODER)):
        done = pmg(*command, *given)
        assert done.exit_code == 1
        assert "this one is of my_encoders:Sound" in done.stderr
        assert "Traceback" not in done.output
    done = pmg("conformance", "record", f"{authored}:NeedsKey", "--out", "none.json")
    assert (done.exit_code, Path("none.json").exists()) == (1, False)
