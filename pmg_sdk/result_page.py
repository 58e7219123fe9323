"""A result for people: one HTML page that needs nothing else, neither a network nor a script.

It shows the record, which holds no behaviour text, and the media.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pmg_sdk.record import CandidateRecord, Record
    from pmg_sdk.selection import Selection

__all__ = ["result_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
"""Whatever a model or a user managed to put into a page, the browser fetches and runs nothing."""


def result_page(record: Record, selection: Selection) -> str:
    """The page. All text is escaped.

    Args:
        record: of the result.
        selection: the same result's, for its media.
    """
    style = importlib.resources.files("pmg_sdk").joinpath("result_page.css").read_text(encoding="utf-8")
    wanted = record.keywords["target"]
    title = ", ".join(entry["text"] for entry in wanted) or "A result"
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
{_winner(record, selection, title)}
{_warnings(record)}
{_candidates(record, selection)}
{_made_with(record)}
</main>
</body>
</html>
"""


def _winner(record: Record, selection: Selection, title: str) -> str:
    won = record.candidates[record.winner]
    return f"""<header>
<figure class="winner">
{selection.winner.media.element(f"the winner, {won.weights}")}
<figcaption>The winner of {len(record.candidates)}: {_form(won)} = {escape(won.weights)},
z = {_number(won.z)}</figcaption>
</figure>
<div class="asked">
<h1>{escape(title)}</h1>
<dl>
{_keywords(record, "preference", "The user likes")}{_keywords(record, "avoided", "Avoids")}\
{_keywords(record, "target", "Asked for")}</dl>
</div>
</header>"""


def _keywords(record: Record, part: str, title: str) -> str:
    dropped = {entry["text"] for entry in record.dropped[part]}
    shown = "".join(
        f"<li><del>{escape(entry['text'])}</del> <small>did not fit</small></li>"
        if entry["text"] in dropped
        else f"<li>{escape(entry['text'])}</li>"
        for entry in record.keywords[part]
    )
    return f"<dt>{title}</dt><dd><ul>{shown}</ul></dd>\n" if shown else ""


def _warnings(record: Record) -> str:
    lines = "".join(f"<li>{escape(warning)}</li>\n" for warning in record.warnings)
    return f'<section class="warnings">\n<h2>Warnings</h2>\n<ul>\n{lines}</ul>\n</section>' if lines else ""


def _candidates(record: Record, selection: Selection) -> str:
    rows = "".join(
        _row(entry, candidate.media.element(f"candidate {place}, {entry.weights}", small=True), place, won)
        for place, (entry, candidate) in enumerate(
            zip(record.candidates, selection.candidates, strict=True), start=1
        )
        for won in [place - 1 == record.winner]
    )
    form = max((_form(entry) for entry in record.candidates), key=len)
    return f"""<section>
<h2>Candidates</h2>
<table class="candidates">
<thead><tr><th scope="col">Candidate</th><th scope="col">{form}</th><th scope="col">seed</th>
<th scope="col"><abbr title="how much it shows what the user likes">d_p</abbr></th>
<th scope="col"><abbr title="how much it shows what was asked for">d_t</abbr></th>
<th scope="col"><abbr title="the balance of both; the largest wins">z</abbr></th></tr></thead>
<tbody>
{rows}</tbody>
</table>
<p>z = &alpha; log d_p + (1 &minus; &alpha;) log d_t, &alpha; = {record.alpha:g}</p>
</section>"""


def _row(entry: CandidateRecord, element: str, place: int, won: bool) -> str:
    mark, named = (' class="won"', "<strong>winner</strong>") if won else ("", f"{place}")
    return (
        f'<tr{mark}><th scope="row">{element}<span>{named}</span></th>'
        f'<td data-of="{_form(entry)}">{escape(entry.weights)}</td><td data-of="seed">{entry.seed}</td>'
        f'<td data-of="d_p">{_number(entry.d_p)}</td><td data-of="d_t">{_number(entry.d_t)}</td>'
        f'<td data-of="z">{_number(entry.z)}</td></tr>\n'
    )


def _made_with(record: Record) -> str:
    facts = {
        **{role.replace("_", " "): " ".join(found.values()) for role, found in record.models.items()},
        "seed": str(record.seed),
        "pmg-sdk": record.pmg_sdk,
        "settings": record.config_digest,
        record.media.file: f"sha256 {record.media.sha256}",
    }
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n'
        for name, value in facts.items()
    )
    return f"""<section>
<h2>Made with</h2>
<table class="facts">
{rows}</table>
<details><summary>All settings</summary>
<pre>{escape(_indented(record.config))}</pre>
</details>
</section>"""


def _form(entry: CandidateRecord) -> str:
    """What the numbers of `weights` are: there is a third where E_m has a weight of its own."""
    return "w_p:w_t:w_s" if entry.weights.count(":") == 2 else "w_p:w_t"


def _indented(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=2, ensure_ascii=False)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
