"""`pmg conformance`, in this process as a user types it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pmg_conformance import Report, checks
from pmg_conformance.samples import PATTERNS

from .conftest import Pmg

SOUND = "pmg_conformance.reference:ReferenceTextEncoder"
SMOKE = ("--tier", "smoke")


def test_what_conforms_ends_with_0_and_one_line(pmg: Pmg) -> None:
    done = pmg("conformance", SOUND, *SMOKE)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"text_encoder {SOUND} conforms to")
    assert done.stderr == ""


@pytest.mark.parametrize("role", ["captioner", "soft_preference"])
def test_a_registered_name_is_a_target(pmg: Pmg, role: str) -> None:
    done = pmg("conformance", "reference", "--role", role, *SMOKE)
    assert done.exit_code == 0, done.output
    assert f"{role} reference conforms" in done.stdout


def test_a_name_of_several_roles_is_asked_about(pmg: Pmg) -> None:
    done = pmg("conformance", "reference")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "say which with --role" in done.stderr


def test_options_may_come_before_the_target(pmg: Pmg) -> None:
    assert pmg("conformance", *SMOKE, SOUND).stdout == pmg("conformance", "run", SOUND, *SMOKE).stdout


def test_a_failure_is_told_with_a_command_that_shows_it_again(pmg: Pmg, authored: str) -> None:
    options = ("--option", "note=two words", "--option", "tokens=50")
    done = pmg("conformance", f"{authored}:RefusesNothing", *options)
    assert done.exit_code == 1
    for told in ("PMG-TXT-003", "no error", "ValueError", "my_encoders.py", "1 fail", "not-run"):
        assert told in done.stdout
    assert "\x1b" not in done.stdout
    (repro,) = (line for line in done.stdout.splitlines() if line.startswith("pmg conformance repro"))
    again = pmg(*shlex.split(repro)[1:])
    assert again.exit_code == 1
    assert again.stdout.startswith("PMG-TXT-003 The empty text can be encoded.")
    for told in ("expected:", "got:", "likely cause:", "advice:", repro, "outcome:      fail"):
        assert told in again.stdout
    assert "Traceback" not in again.stderr
    assert "in encode\n" in pmg(*shlex.split(repro)[1:], "--debug").stderr
    assert "in encode\n" in pmg("--debug", *shlex.split(repro)[1:]).stderr


def test_repro_refuses_a_check_of_another_role(pmg: Pmg) -> None:
    done = pmg("conformance", "repro", "PMG-GEN-001", SOUND)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "PMG-GEN-001 is no check of a text_encoder" in done.stderr


def test_repro_of_what_passes_ends_with_0(pmg: Pmg) -> None:
    done = pmg("conformance", "repro", "pmg-txt-003", SOUND)
    assert done.exit_code == 0
    assert "outcome:      pass" in done.stdout
    done = pmg("conformance", "repro", "PMG-TXT-007", SOUND)
    assert done.exit_code == 0
    assert "outcome:      not-run (give another encoder" in done.stdout


def test_a_terminal_shows_every_check_as_it_comes(pmg: Pmg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = pmg("conformance", SOUND, *SMOKE).stderr.splitlines()
    assert [check.id for check in checks("text_encoder", "smoke")] == [
        re.findall(r"PMG-\w+-\d+", line)[0] for line in lines
    ]


def test_json_is_the_report_and_nothing_else(pmg: Pmg, authored: str) -> None:
    done = pmg("conformance", f"{authored}:RefusesNothing", *SMOKE, "--json", "--option", "note=😀")
    report = Report.from_json(done.stdout)
    assert (done.exit_code, [entry.id for entry in report.failures]) == (1, ["PMG-TXT-003"])
    assert report.options == {"note": "😀"}


def test_reports_are_written_where_they_are_wanted(pmg: Pmg) -> None:
    done = pmg("conformance", SOUND, *SMOKE, "--report", "html, junit,badge", "--out", "made/here")
    assert {path.name for path in Path("made/here").iterdir()} == {"report.html", "junit.xml", "badge.json"}
    assert "made/here/report.html" in done.stdout
    pmg("conformance", SOUND, *SMOKE, "--out", "both")
    assert {path.name for path in Path("both").iterdir()} == {"report.html", "report.json"}
    pmg("conformance", SOUND, *SMOKE)
    assert {path.name for path in Path().iterdir()} == {"made", "both"}


def test_only_runs_what_is_asked_for(pmg: Pmg) -> None:
    done = pmg("conformance", SOUND, "--only", "PMG-TXT-001", "--only", "PMG-ANY-013", "--json")
    assert [entry.id for entry in Report.from_json(done.stdout).entries] == ["PMG-TXT-001", "PMG-ANY-013"]


def test_a_waived_failure_is_none(pmg: Pmg, authored: str) -> None:
    Path("waivers.toml").write_text(
        '[PMG-TXT-003]\nreason = "the empty text comes with its 2.0"\nuntil = 2999-01-01\n'
    )
    command = ("conformance", f"{authored}:RefusesNothing", *SMOKE, "--waivers", "waivers.toml")
    done = pmg(*command)
    assert done.exit_code == 0, done.output
    assert "1 waived" in done.stdout
    Path("waivers.toml").write_text('[PMG-TXT-999]\nreason = "misspelt, to be sure"\nuntil = 2999-01-01\n')
    done = pmg(*command)
    assert done.exit_code == 1
    assert "the id of a check" in done.stdout


def test_the_aids_reach_the_checks_and_the_repro(pmg: Pmg) -> None:
    Path("pictures").mkdir()
    for name, medium in zip(("red_cat", "blue_rocket"), PATTERNS["image"](2), strict=True):
        medium.save(Path("pictures", f"{name}.png"))
    scorer = "pmg_conformance.reference:ReferenceScorer"
    done = pmg("conformance", scorer, "--only", "PMG-SCO-006", "--pairs", "pictures", "--json")
    (entry,) = Report.from_json(done.stdout).entries
    assert len(entry.exhibits) == 2
    assert entry.failure is None or entry.failure.repro.endswith("--pairs pictures")
    done = pmg("conformance", SOUND, "--only", "PMG-TXT-007", "--twin", SOUND)
    assert "1 pass" in done.stdout
    captioner = "pmg_conformance.reference:ReferenceCaptioner"
    assert pmg("conformance", captioner, *SMOKE, "--media", "pictures").exit_code == 0


def test_an_encoder_of_another_space_is_no_twin(pmg: Pmg, authored: str) -> None:
    Path("other_space.py").write_text(
        "from pmg_conformance.reference import ReferenceTextEncoder\n"
        "def other():\n    return ReferenceTextEncoder(space='other')\n"
    )
    twin = ("--twin", "other_space:other")
    done = pmg("conformance", f"{authored}:Sound", "--only", "PMG-TXT-007", *twin)
    assert done.exit_code == 1
    assert " ".join(twin) in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing-of-this-name",), 1, "nothing called 'nothing-of-this-name' is registered"),
        (("no_such_module:Thing",), 1, "cannot be imported"),
        (("pmg_conformance.reference:Nope",), 1, "cannot be imported"),
        ((SOUND, "--only", "PMG-TXT-01"), 1, "Did you mean"),
        ((SOUND, "--only", "PMG-GEN-001"), 1, "PMG-GEN-001 is no check of a text_encoder"),
        ((SOUND, "--waivers", "missing.toml"), 1, "a TOML file of waivers was expected"),
        ((SOUND, "--pairs", "missing"), 1, "a folder of pictures or sounds was expected"),
        ((SOUND, "--report", "pdf"), 2, "html,json,junit,badge"),
        ((SOUND, "--option", "words"), 2, "expected KEY=VALUE"),
        ((SOUND, "--tier", "medium"), 2, "medium"),
        (("repro", "PMG-TXT-003"), 2, "TARGET"),
        (("diff", "a.json", "b.json"), 1, "a conformance report was expected at a.json"),
        (("checks", "PMG-XYZ-001"), 1, "a check's id was expected"),
    ],
)
def test_wrong_input_is_told_in_a_line(pmg: Pmg, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = pmg("conformance", *arguments)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output
    if code == 1:
        assert done.stderr.count("\n") == 1


def test_an_adapter_that_cannot_be_made_is_a_finding(pmg: Pmg, authored: str) -> None:
    done = pmg("conformance", f"{authored}:NeedsKey", "--json")
    report = Report.from_json(done.stdout)
    assert (done.exit_code, [entry.id for entry in report.failures]) == (1, ["PMG-ANY-001"])
    assert {entry.outcome for entry in report.entries[1:]} == {"not-run"}


def test_a_module_of_the_working_folder_is_found(
    pmg: Pmg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("beside_me.py").write_text(
        "from pmg_conformance.reference import ReferenceCaptioner\nclass Mine(ReferenceCaptioner): ...\n"
    )
    assert pmg("conformance", "beside_me:Mine", *SMOKE).exit_code == 0


def test_diff_tells_what_changed(pmg: Pmg, authored: str) -> None:
    for name in ("Sound", "RefusesNothing"):
        pmg("conformance", f"{authored}:{name}", *SMOKE, "--report", "json", "--out", name)
    same = pmg("conformance", "diff", "Sound/report.json", "Sound/report.json")
    assert (same.exit_code, same.stdout) == (0, "nothing changed\n")
    worse = pmg("conformance", "diff", "Sound/report.json", "RefusesNothing/report.json")
    assert worse.exit_code == 1
    assert "passed before and no longer: PMG-TXT-003" in worse.stdout
    assert "golden hash" in worse.stdout
    better = pmg("conformance", "diff", "RefusesNothing/report.json", "Sound/report.json")
    assert better.exit_code == 0
    assert "PMG-TXT-003" in better.stdout


def test_checks_lists_and_explains_them(pmg: Pmg) -> None:
    listed = pmg("conformance", "checks", "--role", "text_encoder", "--json")
    assert [row["id"] for row in json.loads(listed.stdout)] == [check.id for check in checks("text_encoder")]
    table = pmg("conformance", "checks").stdout
    assert all(check.id in table for check in checks())
    told = pmg("conformance", "checks", "PMG-TXT-003").stdout
    for known in ("The empty text can be encoded.", "rationale:", "advice:", "since:", "smoke"):
        assert known in told


def test_checks_stays_the_function_after_the_checks_are_loaded() -> None:
    program = (
        "import pmg_conformance\n"
        "before = pmg_conformance.checks\n"
        "before()\n"
        "import pmg_conformance.checks.generator\n"
        "assert pmg_conformance.checks is before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=_environment())


def test_the_schema_is_that_of_the_report(pmg: Pmg) -> None:
    schema = json.loads(pmg("conformance", "schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    assert set(schema["properties"]) == set(Report.model_fields)


def test_help_teaches(pmg: Pmg) -> None:
    told = pmg("conformance", "--help").stdout
    for known in ("TARGET", "--tier", "smoke", "--waivers", "Exit code", "Examples", "repro", "diff"):
        assert known in told
    assert "Check whether an adapter" in pmg("--help").stdout
    assert "TARGET" in pmg("conformance").output


def test_smoke_takes_seconds_and_no_framework() -> None:
    program = (
        "import sys\n"
        "from pmg_sdk.cli import main\n"
        f"main(['conformance', '{SOUND}', '--tier', 'smoke'], standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)\n"
    )
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stderr
    assert time.perf_counter() - begin < 5


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
