"""A report in the forms that people, programs, build servers and README files read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pmg_conformance.html_report import html
from pmg_conformance.junit_report import junit
from pmg_conformance.report import Report
from pmg_sdk.storage import write_text

__all__ = ["FORMATS", "write_reports"]

FORMATS: dict[str, tuple[str, Callable[[Report], str]]] = {
    "html": ("report.html", html),
    "json": ("report.json", Report.to_json),
    "junit": ("junit.xml", junit),
    "badge": ("badge.json", Report.badge),
}
"""Name -> file, and what is in it."""


def write_reports(report: Report, formats: Sequence[str], folder: Path) -> list[Path]:
    """Write the report into `folder` in each of the `FORMATS` asked for; each file whole or not at all.

    Raises:
        StorageError: a file cannot be written.
    """
    made = [(file, write(report)) for file, write in (FORMATS[name] for name in formats)]
    return [write_text(folder / file, text) for file, text in made]
