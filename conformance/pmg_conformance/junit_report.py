"""A report as JUnit XML, which build servers show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from pmg_conformance.report import Entry, Report

__all__ = ["junit"]


def junit(report: Report) -> str:
    """XML of one suite with one case for every check.

    A check that was waived, is not claimed or was not run is skipped, with the reason; so is a failure of
    a provisional check, as it must not turn a build red.
    """
    failed = len(report.failures)
    counts = {
        "tests": str(len(report.entries)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(sum(_skipped(entry) != "" for entry in report.entries)),
        "time": _seconds(sum(entry.seconds for entry in report.entries)),
    }
    root = ET.Element("testsuites", {"name": "pmg conformance", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": f"{report.kind} {report.name}", **counts})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", {"name": name, "value": value})
    for entry in report.entries:
        _case(suite, entry, report)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, entry: Entry, report: Report) -> None:
    name = {"classname": f"pmg_conformance.{report.kind}", "name": f"{entry.id} {entry.title}"}
    case = ET.SubElement(suite, "testcase", {**name, "time": _seconds(entry.seconds)})
    reason = _skipped(entry)
    if reason:
        ET.SubElement(case, "skipped", {"message": reason})
    if entry.failure is None:
        return
    told = entry.explanation
    if reason:
        ET.SubElement(case, "system-out").text = told
        return
    summary = f"expected {entry.failure.expected}; got {entry.failure.got}"
    ET.SubElement(case, "failure", {"message": summary, "type": "ConformanceFailure"}).text = told


def _skipped(entry: Entry) -> str:
    """Why a case shows as skipped, or ""."""
    if entry.outcome == "fail":
        return "provisional: it does not count yet" if entry.provisional else ""
    return "" if entry.outcome == "pass" else f"{entry.outcome}: {entry.reason}"


def _properties(report: Report) -> dict[str, str]:
    found = report.fingerprint
    return {
        "spec_version": report.spec_version,
        "tier": report.tier,
        "claims": ", ".join(report.claims),
        "python": found.python,
        "system": f"{found.system} {found.machine}",
        "device": found.device,
        "golden": found.golden,
        **{f"package {name}": version for name, version in found.packages.items()},
    }


def _seconds(value: float) -> str:
    return f"{value:.4f}"
