"""A report as HTML, JUnit XML, JSON and badge."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pmg_conformance import Entry, Outcome, Report, check_adapter
from pmg_conformance.difference import compare
from pmg_conformance.exhibit import Exhibit
from pmg_conformance.fingerprint import Fingerprint
from pmg_conformance.html_report import html
from pmg_conformance.junit_report import junit
from pmg_conformance.report import Failure
from pmg_conformance.report_files import FORMATS, write_reports
from pmg_conformance.samples import PATTERNS
from pmg_sdk.errors import InputError, StorageError

HOSTILE = "<script>alert(1)</script> \x1b[31m & \ud800 \u202e ]]> <img src='http://a.example/x.png'>"
REPRO = "pmg conformance repro PMG-TXT-003 'a:B' --option 'note=<b>'"


def report(*entries: Entry, **fields: Any) -> Report:
    """A report of these entries, and what else it needs."""
    made_on = Fingerprint(python="3.11.9", system="Linux 6", machine="x86_64", device="cpu", packages={})
    known: dict[str, Any] = {
        "spec_version": "1.0",
        "name": "made-up",
        "kind": "text_encoder",
        "tier": "core",
        "fingerprint": made_on,
    }
    return Report(**{**known, "entries": entries, **fields})


def entry(id: str, outcome: Outcome, **fields: Any) -> Entry:
    """An entry; what failed or was waived says why."""
    if outcome in ("fail", "waived"):
        fields.setdefault("failure", Failure(expected="one", got="two", cause="counting", repro=REPRO))
    return Entry(**{"id": id, "title": "One is one.", "tier": "smoke", "outcome": outcome, **fields})


@pytest.fixture
def every_outcome() -> Report:
    return report(
        entry("PMG-TXT-001", "pass", seconds=0.25),
        entry("PMG-TXT-002", "fail", advice="count again"),
        entry("PMG-TXT-003", "fail", provisional=True),
        entry("PMG-TXT-004", "not-claimed", reason="does not claim 'choice'"),
        entry("PMG-TXT-005", "waived", reason="mended in 2.0 (until 2099-01-01)"),
        entry("PMG-TXT-006", "not-run", reason="give another encoder"),
    )


class Page(HTMLParser):
    """The elements of a page, its text, and whatever it would have to fetch."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action") or (name == "href" and tag != "a"):
                self.fetched.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_shows_verdict_counts_and_all_that_is_known_of_a_failure(every_outcome: Report) -> None:
    page = Page(html(every_outcome))
    assert "does not conform to 1.0, tier core" in page.text
    for count in ("1 passed", "2 failed", "1 not claimed", "1 waived", "1 not run"):
        assert count in page.text
    assert page.tags.count("details") == len(every_outcome.entries)
    for known in ("PMG-TXT-002", "One is one.", "0.25 s", "one", "two", "counting", "count again", REPRO):
        assert known in page.text
    for reason in ("does not claim 'choice'", "mended in 2.0", "give another encoder", "(provisional)"):
        assert reason in page.text
    assert "3.11.9" in page.text


def test_html_needs_nothing_but_itself(every_outcome: Report) -> None:
    text = html(every_outcome)
    page = Page(text)
    assert page.fetched == []
    assert not {"script", "link", "iframe", "object", "base"} & set(page.tags)
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text


def test_html_escapes_whatever_an_adapter_says(every_outcome: Report) -> None:
    told = Failure(expected=HOSTILE, got=HOSTILE, cause=HOSTILE, repro=HOSTILE)
    texts = {"title": HOSTILE, "reason": HOSTILE, "advice": HOSTILE, "failure": told}
    picture = Exhibit(label=f'" onload="x {HOSTILE}', modality="image", picture="")
    shown = report(
        entry(f'"{HOSTILE}', "fail", **texts, exhibits=(picture,)),
        name=HOSTILE,
        options={"note": "</main><script>\u202e"},
    )
    text = html(shown)
    text.encode("utf-8")
    plain = Page(html(every_outcome))
    page = Page(text)
    assert set(page.tags) - {"img", "figure", "figcaption"} <= set(plain.tags)
    assert page.fetched == ["data:image/png;base64,"]
    assert "alert(1)" in page.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)


def test_html_shows_exhibits_as_pictures() -> None:
    (medium,) = PATTERNS["image"](1)
    page = Page(html(report(entry("PMG-SCO-006", "pass", exhibits=(Exhibit.of("a red cat", medium),)))))
    (source,) = page.fetched
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == medium.picture().to_bytes()
    assert "a red cat" in page.text


def test_junit_has_a_case_for_every_check(every_outcome: Report) -> None:
    root = ET.fromstring(junit(every_outcome))
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "1",
        "errors": "0",
        "skipped": "4",
    }
    cases = {str(case.get("name"))[:11]: case for case in suite.iter("testcase")}
    assert list(cases) == [each.id for each in every_outcome.entries]
    (failure,) = suite.iter("failure")
    assert failure in list(cases["PMG-TXT-002"])
    assert failure.get("message") == "expected one; got two"
    assert failure.text is not None
    for known in ("PMG-TXT-002", "one", "two", "counting", "count again", REPRO):
        assert known in failure.text
    reasons = {name: case.find("skipped") for name, case in cases.items()}
    assert {name: skip.get("message") for name, skip in reasons.items() if skip is not None} == {
        "PMG-TXT-003": "provisional: it does not count yet",
        "PMG-TXT-004": "not-claimed: does not claim 'choice'",
        "PMG-TXT-005": "waived: mended in 2.0 (until 2099-01-01)",
        "PMG-TXT-006": "not-run: give another encoder",
    }


def test_junit_is_xml_whatever_an_adapter_says() -> None:
    told = Failure(expected=HOSTILE, got=HOSTILE)
    text = junit(report(entry("PMG-TXT-001", "fail", title=HOSTILE, failure=told), name=HOSTILE))
    (failure,) = ET.fromstring(text.encode("utf-8")).iter("failure")
    assert "<script>alert(1)</script> \\x1b[31m & \\ud800" in str(failure.text)


def test_json_is_what_its_schema_says(every_outcome: Report) -> None:
    schema = Report.model_json_schema(mode="serialization")
    made = check_adapter("pmg_conformance.reference:ReferenceTextEncoder", tier="smoke")
    for each in (every_outcome, made, report(options={"layers": [1, 2], "dtype": object()})):
        expect_valid(json.loads(each.to_json()), schema, schema)
        assert Report.from_json(each.to_json()) == each
    wrong = json.loads(made.to_json())
    wrong["entries"][0]["outcome"] = "maybe"
    with pytest.raises(AssertionError):
        expect_valid(wrong, schema, schema)


def expect_valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> None:
    """Hold a value to the part of JSON Schema that our schema is written in; no other keyword may appear."""
    types = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}
    for keyword, stated in schema.items():
        if keyword == "$ref":
            expect_valid(value, root["$defs"][stated.rpartition("/")[2]], root)
        elif keyword == "type" and stated in ("number", "integer"):
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)
        elif keyword == "type":
            assert isinstance(value, types[stated]), (value, stated)
        elif keyword == "enum":
            assert value in stated
        elif keyword == "minimum":
            assert value >= stated
        elif keyword == "anyOf":
            assert any(_valid(value, each, root) for each in stated)
        elif keyword == "required":
            assert not isinstance(value, dict) or set(stated) <= set(value)
        elif keyword == "items":
            for each in value:
                expect_valid(each, stated, root)
        elif keyword == "properties":
            for name in set(stated) & set(value if isinstance(value, dict) else ()):
                expect_valid(value[name], stated[name], root)
        elif keyword == "additionalProperties" and isinstance(value, dict):
            for name in set(value) - set(schema.get("properties", ())):
                assert stated is not False, name
                expect_valid(value[name], stated if isinstance(stated, dict) else {}, root)
        else:
            assert keyword in ("title", "description", "default", "$defs", "additionalProperties"), keyword


def _valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    try:
        expect_valid(value, schema, root)
    except AssertionError:
        return False
    return True


def test_the_badge_says_what_the_report_says(every_outcome: Report) -> None:
    badge = json.loads(every_outcome.badge())
    assert (badge["schemaVersion"], badge["message"], badge["color"]) == (1, "1 failing", "red")
    good = json.loads(report(entry("PMG-TXT-001", "pass")).badge())
    assert (good["message"], good["color"]) == ("core 1.0", "brightgreen")


def test_files_have_the_names_that_their_readers_expect(every_outcome: Report, tmp_path: Path) -> None:
    written = write_reports(every_outcome, list(FORMATS), tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["report.html", "report.json", "junit.xml", "badge.json"]
    assert Report.from_json(written[1].read_text(encoding="utf-8")) == every_outcome
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in written
    )


def test_a_folder_that_cannot_be_is_a_storage_error(every_outcome: Report, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="another folder"):
        write_reports(every_outcome, ["json"], tmp_path / "file")


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(InputError, match="a conformance report was expected"):
        Report.from_json('{"entries": []}')


def test_a_difference_tells_regressions_from_other_changes() -> None:
    before = report(
        entry("PMG-TXT-001", "pass"),
        entry("PMG-TXT-002", "fail"),
        entry("PMG-TXT-003", "pass"),
        entry("PMG-TXT-004", "pass", tier="core"),
    )
    after = report(
        entry("PMG-TXT-001", "fail"),
        entry("PMG-TXT-002", "pass"),
        entry("PMG-TXT-005", "not-run"),
        tier="smoke",
        fingerprint=before.fingerprint.model_copy(update={"golden": "abc", "packages": {"numpy": "9"}}),
    )
    found = compare(before, after)
    assert {change.name: (change.before, change.after) for change in found.outcomes} == {
        "PMG-TXT-001": ("pass", "fail"),
        "PMG-TXT-002": ("fail", "pass"),
        "PMG-TXT-003": ("pass", ""),
        "PMG-TXT-005": ("", "not-run"),
    }
    assert [change.name for change in found.regressions] == ["PMG-TXT-001", "PMG-TXT-003"]
    assert found.not_compared == ("PMG-TXT-004",)
    assert [change.name for change in found.made_on] == ["tier", "golden hash", "numpy"]
