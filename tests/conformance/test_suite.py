"""The pytest classes, run by pytest in a process of its own, as an author's are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pmg_conformance import Outcome, check_adapter, checks
from pmg_conformance import suite as doors
from pmg_conformance.golden import record
from pmg_conformance.reference import ReferenceTextEncoder
from pmg_conformance.subject import Aids
from pmg_conformance.target import find

AS_PYTEST_HAS_IT: dict[Outcome, str] = {
    "pass": "passed",
    "fail": "failure",
    "not-claimed": "skipped",
    "not-run": "skipped",
    "waived": "skipped",
}


class Ran:
    """Tests by name -> (outcome, what was said), and all that was printed."""

    def __init__(self, folder: Path, source: str, *arguments: str) -> None:
        (folder / "test_mine.py").write_text(source, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=out.xml", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self.printed = done.stdout + done.stderr
        self.code = done.returncode
        self.tests: dict[str, tuple[str, str]] = {}
        for case in ET.parse(folder / "out.xml").iter("testcase"):
            inside = next(iter(case), None)
            said = "" if inside is None else f"{inside.get('message')}\n{inside.text}"
            self.tests[str(case.get("name"))] = ("passed" if inside is None else inside.tag, said)


@pytest.fixture
def folder(tmp_path: Path, authored: str) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def test_every_check_is_a_test_and_says_what_the_engine_says(folder: Path, authored: str) -> None:
    ran = Ran(
        folder,
        "from pmg_conformance.suite import TextEncoderConformance\n"
        "class TestMine(TextEncoderConformance):\n"
        f"    target = '{authored}:RefusesNothing'\n"
        "    options = {'note': 'two words'}\n",
    )
    report = check_adapter(f"{authored}:RefusesNothing", options={"note": "two words"})
    told = {name: outcome for name, (outcome, _) in ran.tests.items() if "[" in name}
    assert told == {
        f"test_conformance[{entry.id}]": AS_PYTEST_HAS_IT[entry.outcome] for entry in report.entries
    }
    assert ran.code == 1
    (failed,) = report.failures
    said = ran.tests[f"test_conformance[{failed.id}]"][1]
    assert failed.failure is not None
    for known in (failed.title, "expected:", "got:", "likely cause:", failed.advice, failed.failure.repro):
        assert known in said
    assert "Traceback" not in ran.printed
    assert "smoke checks failed: PMG-TXT-003" in ran.tests["test_conformance[PMG-ANY-013]"][1]


def test_a_waived_failure_is_expected_and_a_stale_waiver_fails(folder: Path, authored: str) -> None:
    (folder / "known.toml").write_text(
        '[PMG-TXT-003]\nreason = "the empty text comes with its 2.0"\nuntil = 2999-01-01\n'
    )
    ran = Ran(
        folder,
        "import datetime\n"
        "from pmg_conformance.suite import TextEncoderConformance\n"
        "class TestFile(TextEncoderConformance):\n"
        f"    target, tier, waivers = '{authored}:RefusesNothing', 'smoke', 'known.toml'\n"
        "class TestStale(TextEncoderConformance):\n"
        f"    target, tier = '{authored}:Sound', 'smoke'\n"
        "    waivers = {'PMG-TXT-001': {'reason': 'it was so before', 'until': datetime.date(2999, 1, 1)}}\n"
        "class TestStray(TextEncoderConformance):\n"
        f"    target, tier = '{authored}:Sound', 'smoke'\n"
        "    waivers = {'PMG-TXT-999': {'reason': 'it was so before', 'until': datetime.date(2999, 1, 1)}}\n",
        "-rx",
        "-v",
    )
    assert "TestFile::test_conformance[PMG-TXT-003] XFAIL" in ran.printed
    assert "the empty text comes with its 2.0" in ran.printed
    failed = [line.split()[0] for line in ran.printed.splitlines() if " FAILED " in line]
    assert failed == [
        "test_mine.py::TestStale::test_conformance[PMG-TXT-001]",
        "test_mine.py::TestStray::test_waivers_name_checks",
    ]


def test_one_check_can_be_run_alone(folder: Path, authored: str) -> None:
    ran = Ran(
        folder,
        "from pmg_conformance.suite import TextEncoderConformance\n"
        "class TestMine(TextEncoderConformance):\n"
        f"    target = '{authored}:RefusesNothing'\n",
        "-k",
        "PMG-ANY-013",
    )
    assert ran.tests == {"test_conformance[PMG-ANY-013]": ("passed", "")}


def test_a_factory_and_aids_are_taken_as_they_are(folder: Path) -> None:
    ran = Ran(
        folder,
        "from pmg_conformance import Aids\n"
        "from pmg_conformance.reference import ReferenceTextEncoder\n"
        "from pmg_conformance.suite import TextEncoderConformance\n"
        "def make(length=77):\n"
        "    return ReferenceTextEncoder(max_tokens=length)\n"
        "class TestMade(TextEncoderConformance):\n"
        "    target, options, declared = make, {'length': 60}, frozenset()\n"
        "    def aids(self):\n"
        "        return Aids(twin=ReferenceTextEncoder())\n",
    )
    assert ran.code == 0, ran.printed
    assert ran.tests["test_conformance[PMG-TXT-007]"] == ("passed", "")
    assert ran.tests["test_conformance[PMG-ANY-004]"] == ("passed", "")


def test_a_golden_file_lies_beside_the_tests(folder: Path) -> None:
    record(find(ReferenceTextEncoder)).save(folder / "golden.json")
    ran = Ran(
        folder,
        "from pmg_conformance.suite import TextEncoderConformance\n"
        "class TestMine(TextEncoderConformance):\n"
        "    target = 'pmg_conformance.reference:ReferenceTextEncoder'\n"
        "    golden = 'golden.json'\n",
        "-k",
        "PMG-ANY-026",
    )
    assert ran.tests == {"test_conformance[PMG-ANY-026]": ("passed", "")}


@pytest.mark.parametrize(
    ("target", "said"),
    [("", "say what to check"), ("    target = 'nowhere:Thing'\n", "'nowhere:Thing' cannot be imported")],
)
def test_a_class_without_a_subject_says_so(folder: Path, target: str, said: str) -> None:
    ran = Ran(
        folder,
        "from pmg_conformance.suite import ScorerConformance\n"
        f"class TestMine(ScorerConformance):\n    tier = 'smoke'\n{target}",
    )
    assert {outcome for outcome, _ in ran.tests.values()} == {"failure"}
    assert said in ran.printed
    assert "Traceback" not in ran.printed


def test_a_provisional_failure_is_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    from pmg_conformance.report import Entry, Failure

    failed = Entry(
        id="PMG-TXT-001",
        title="One is one.",
        tier="smoke",
        outcome="fail",
        provisional=True,
        failure=Failure(expected="one", got="two"),
    )
    doors._settle(failed)
    (warning,) = recwarn.list
    assert warning.category is doors.ConformanceWarning
    assert "PMG-TXT-001" in str(warning.message)


def test_there_is_a_class_for_every_kind_of_subject() -> None:
    classes = [getattr(doors, name) for name in doors.__all__ if name.endswith("Conformance")]
    assert {each.kind for each in classes} == {check.kind for check in checks()} - {"any"}
    assert not [each for each in classes if each.__name__.startswith("Test")]
    assert classes[0]().aids() == Aids()


class TestReferenceCaptioner(doors.CaptionerConformance):
    target = "pmg_conformance.reference:ReferenceCaptioner"
    tier = "smoke"
