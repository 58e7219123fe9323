"""One pipeline for every modality: pictures and sounds go through the same code, and it names neither."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pmg_sdk
from pmg_conformance.samples import PATTERNS
from pmg_sdk import Audio, Behavior, Image, Item, Media, PMGPipeline, Registry, Result
from pmg_sdk.errors import ConfigError
from pmg_sdk.replay import replay
from pmg_sdk.result_page import result_page

SOURCE = Path(pmg_sdk.__file__).parent
KINDS: dict[str, tuple[dict[str, Any], type[Media]]] = {
    "image": ({"generator": "reference", "scorer": "reference"}, Image),
    "audio": ({"generator": "reference-sound", "scorer": "reference-sound"}, Audio),
}
BEHAVIOR = Behavior(
    history=[
        Item(text="a blue cat", media=tuple(PATTERNS["image"](1))),
        Item(text="a blue frog", media=tuple(PATTERNS["audio"](1))),
        Item(text="a red robot", liked=False),
    ],
    conversation=["my blue cat sleeps"],
)


def pipeline_of(modality: str, plugins: Registry, **settings: Any) -> PMGPipeline:
    made_by, _ = KINDS[modality]
    captioners = {"image": "reference", "audio": "reference-sound"}
    return PMGPipeline.from_scenario(
        "reference", plugins=plugins, captioners=captioners, **made_by, **settings
    )


@pytest.fixture(params=KINDS)
def modality(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def result(modality: str, plugins: Registry) -> Result:
    return pipeline_of(modality, plugins).generate(BEHAVIOR, "a happy dog", seed=7)


def test_every_modality_is_made_and_the_best_is_chosen(result: Result, modality: str) -> None:
    assert {type(candidate.media) for candidate in result.candidates} == {KINDS[modality][1]}
    assert result.winner.z == max(candidate.z for candidate in result.candidates)
    assert len({candidate.media for candidate in result.candidates}) == len(result.candidates)
    liked, asked = result.candidates[-1], result.candidates[0]
    assert liked.preference_score is not None
    assert asked.preference_score is not None
    assert liked.preference_score > asked.preference_score, "more weight on taste shows more of it"


def test_captions_of_every_modality_are_read(result: Result) -> None:
    assert not [warning for warning in result.warnings if "not looked at" in warning]
    assert result.preference.summary is not None
    told = str(result.preference.summary)
    assert "a blue cat, red" in told
    assert "a blue frog, low" in told


def test_a_result_of_every_modality_is_saved_and_replayed(
    result: Result, modality: str, plugins: Registry, tmp_path: Path
) -> None:
    folder = result.save(tmp_path / "out")
    ending = KINDS[modality][1].suffix
    names = ["report.html", "result.json", "sheet.png", f"winner{ending}"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert KINDS[modality][1].open(folder / f"winner{ending}") == result.media  # type: ignore[attr-defined]
    record = json.loads((folder / "result.json").read_text())
    assert record["media"]["modality"] == modality
    again = replay(folder / "result.json", plugins=plugins)
    assert again.reproduced
    assert again.media == result.media
    again.save(folder)  # an earlier result of any modality is replaced


def test_a_scorer_of_another_modality_is_refused(plugins: Registry) -> None:
    with pytest.raises(ConfigError, match="one for audio was expected, the generator's modality"):
        PMGPipeline.from_scenario("reference", plugins=plugins, generator="reference-sound").generate(
            BEHAVIOR, "a dog"
        )


MODULES = (
    *("candidates", "choosing", "describe", "interfaces", "keywords", "pipeline", "plan", "record", "replay"),
    *("result", "result_page", "roles", "selection", "target"),
)


@pytest.mark.parametrize("module", MODULES)
def test_the_core_names_no_modality(module: str) -> None:
    text = (SOURCE / f"{module}.py").read_text(encoding="utf-8")
    assert not re.findall(r"\b(image|audio)s?\b", text, re.IGNORECASE)


class Page(HTMLParser):
    """What a browser would find in a page: elements, what they ask for, text, and whether all are closed."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def page(result: Result, tmp_path: Path) -> Page:
    return Page((result.save(tmp_path / "out") / "report.html").read_text(encoding="utf-8"))


def test_the_page_needs_nothing_else(page: Page) -> None:
    assert not page.open
    assert {tag for tag, _ in page.found}.isdisjoint({"script", "link", "iframe", "object", "form", "a"})
    asked = [each[name] for _, each in page.found for name in ("src", "href") if name in each]
    assert asked
    assert all(str(address).startswith("data:") for address in asked)
    assert not [name for _, each in page.found for name in each if name.startswith("on")]


def test_the_page_shows_or_plays_every_candidate(page: Page, result: Result, modality: str) -> None:
    shown = 1 + len(result.candidates)  # the winner is large as well
    assert len(page.all("img")) == shown
    assert all(each["alt"] for each in page.all("img"))
    assert len(page.all("audio")) == (shown if modality == "audio" else 0)
    assert [each.get("class") for each in page.all("tr")].count("won") == 1


def test_the_page_has_every_number_and_keyword(page: Page, result: Result) -> None:
    for candidate in result.candidates:
        for value in (candidate.preference_score, candidate.accuracy_score, candidate.z):
            assert f"{value:.4f}" in page.text
        assert str(candidate.seed) in page.text
    for part in (result.preference.keywords, result.preference.avoided, result.target.keywords):
        assert all(text in page.text for text in part.texts)
    assert result.config.digest() in page.text


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><b>",
    "&lt;i&gt;",
    "'--><!--",
)


def test_hostile_keywords_and_warnings_are_text(result: Result) -> None:
    record = result.record()
    hostile = [{"text": text, "attribute": "<b>"} for text in HOSTILE]
    wild = record.model_copy(
        update={
            "keywords": {"preference": hostile, "avoided": hostile, "target": hostile},
            "dropped": {**record.dropped, "target": hostile[:1]},
            "warnings": tuple(HOSTILE),
            "config": {**record.config, "</pre><script>": HOSTILE},
            "models": {"<script>": {"adapter": HOSTILE[1], "origin": HOSTILE[0]}},
        }
    )
    tame, page = (Page(result_page(each, result.selection)) for each in (record, wild))
    assert not page.open
    assert not page.all("script")
    assert not page.all("i")
    assert len(page.all("img")) == len(tame.all("img"))
    assert all(page.text.count(text) >= 4 for text in HOSTILE)
    assert "did not fit" in page.text


def test_large_pictures_are_small_in_the_table() -> None:
    large = Image(np.random.default_rng(0).integers(0, 256, (1024, 512, 3), dtype=np.uint8))
    assert large.fitted(384).size == (192, 384)
    assert large.fitted(2000) is large
    assert len(large.element("one of many", small=True)) < len(large.element("the winner")) / 5
