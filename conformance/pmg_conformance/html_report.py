"""A report for people: one HTML file that needs nothing else, neither a network nor a script."""

from __future__ import annotations

import importlib.resources
import itertools
import json
from html import escape
from typing import TYPE_CHECKING

from pmg_conformance.check import checks
from pmg_conformance.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pmg_conformance.exhibit import Exhibit
    from pmg_conformance.report import Entry, Report

__all__ = ["html"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
"""Whatever an adapter managed to put into a report, the browser fetches and runs nothing."""

_SEEN_AS_PROSE = {
    "pass": "passed",
    "fail": "failed",
    "not-claimed": "not claimed",
    "waived": "waived",
    "not-run": "not run",
}


def html(report: Report) -> str:
    """The page. All text is escaped."""
    style = importlib.resources.files("pmg_conformance").joinpath("report.css").read_text(encoding="utf-8")
    title = f"{report.name}: {_verdict(report)}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{_head(report)}
{_failures(report)}
<h2>Checks</h2>
<div class="checks">
{"".join(_row(entry, report) for entry in report.entries)}</div>
{_made_on(report)}
</main>
</body>
</html>
"""


def _verdict(report: Report) -> str:
    return "conforms" if report.passed else "does not conform"


def _head(report: Report) -> str:
    counts = "".join(
        f'<li class="{outcome}"><b>{count}</b> {_SEEN_AS_PROSE[outcome]}</li>'
        for outcome, count in report.counts.items()
        if count
    )
    return f"""<header class="{"good" if report.passed else "bad"}">
<p class="kind">{escape(report.kind.replace("_", " "))}</p>
<h1>{escape(report.name)}</h1>
<p class="verdict">{_verdict(report)} to {escape(report.spec_version)}, tier {escape(report.tier)}</p>
<ul class="counts">{counts}</ul>
</header>"""


def _failures(report: Report) -> str:
    """Links to what failed, so that nobody has to look for it."""
    links = "".join(
        f'<li><a href="#{escape(entry.id)}">{escape(entry.id)}</a> {escape(entry.title)}</li>'
        for entry in report.failures
    )
    return f"<h2>To mend</h2>\n<ul class='mend'>{links}</ul>" if links else ""


def _row(entry: Entry, report: Report) -> str:
    outcome = entry.outcome
    word = _SEEN_AS_PROSE[outcome] + (" (provisional)" if entry.provisional else "")
    reason = f"<small>{escape(entry.reason)}</small>" if entry.reason else ""
    opened = " open" if outcome == "fail" or entry.exhibits else ""
    return f"""<details id="{escape(entry.id)}" class="{outcome}"{opened}>
<summary><span class="outcome">{word}</span> <span class="id">{escape(entry.id)}</span>
<span class="title">{escape(entry.title)}{reason}</span>
<span class="seconds">{entry.seconds:.2f} s</span></summary>
{_told(entry)}{_pictures(entry.exhibits)}</details>
"""


def _told(entry: Entry) -> str:
    """What is known of the outcome, as a list of terms."""
    why = {check.id: check.rationale for check in checks()}
    terms = [("Why", escape(why.get(entry.id, "")))]
    if entry.failure is not None:
        terms += [
            ("Expected", escape(entry.failure.expected)),
            ("Got", escape(entry.failure.got)),
            ("Likely cause", escape(entry.failure.cause)),
            ("Advice", escape(entry.advice)),
            ("Run it alone", _code(entry.failure.repro)),
        ]
    told = "".join(f"<dt>{term}</dt><dd>{text}</dd>\n" for term, text in terms if text)
    return f"<dl>\n{told}</dl>\n" if told else ""


def _code(command: str) -> str:
    return f"<pre><code>{escape(command)}</code></pre>" if command else ""


def _pictures(exhibits: Iterable[Exhibit]) -> str:
    """The exhibits; those that come one after another under one label as one figure."""
    shown = ""
    for label, group in itertools.groupby(exhibits, key=lambda each: each.label):
        media = "".join(
            f'<img alt="{escape(label)}" src="data:image/png;base64,{escape(each.picture)}">\n{_player(each)}'
            for each in group
        )
        shown += f"<figure>\n{media}<figcaption>{escape(label)}</figcaption></figure>\n"
    return f'<div class="exhibits">\n{shown}</div>\n' if shown else ""


def _player(exhibit: Exhibit) -> str:
    if not exhibit.sound:
        return ""
    source = f"data:audio/wav;base64,{escape(exhibit.sound)}"
    return (
        f'<audio controls preload="metadata" aria-label="{escape(exhibit.label)}" src="{source}"></audio>\n'
    )


def _made_on(report: Report) -> str:
    found = report.fingerprint
    terms = {
        "Options": printable(json.dumps(report.options, ensure_ascii=False)) if report.options else "none",
        "Claims": ", ".join(report.claims) or "none",
        "Python": found.python,
        "System": f"{found.system}, {found.machine}",
        "Device": found.device,
        "Packages": ", ".join(f"{name} {version}" for name, version in found.packages.items()),
        "Golden hash": found.golden or "none: only what conforms has one",
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>\n" for name, value in terms.items())
    return f"<h2>Made on</h2>\n<table>\n{rows}</table>"
