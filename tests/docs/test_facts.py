"""What the documentation states of the code is what the code is."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from pmg_sdk import Limits, PMGConfig

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "recipes/**/*.md", "models/**/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)


def section(text: str, title: str) -> str:
    """The text under `## title`, up to the next section."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(table: str) -> dict[str, list[str]]:
    """First cell, a name in backquotes -> the other cells."""
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", table, re.M)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


def default(model: type[BaseModel], name: str) -> Any:
    """A field's default as JSON has it."""
    field = model.model_fields[name]
    value = field.get_default(call_default_factory=True)
    return value.model_dump() if isinstance(value, BaseModel) else value


@pytest.mark.parametrize(("model", "title"), [(PMGConfig, "Fields"), (Limits, "`limits`")])
def test_every_setting_is_documented_with_its_default(model: type[BaseModel], title: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    documented = rows(section(page, title))
    assert list(documented) == list(model.model_fields)
    for name, (stated, *_) in documented.items():
        if stated == "required":
            assert model.model_fields[name].default is PydanticUndefined
        elif stated == "see below":
            assert default(model, name) == Limits().model_dump()
        else:
            assert json.loads(stated.strip("`")) == json.loads(json.dumps(default(model, name))), name


def test_every_setting_of_a_training_is_documented_with_its_default() -> None:
    from pmg_transformers.soft_preference.recipe import Recipe

    page = (ROOT / "docs" / "soft-preference.md").read_text(encoding="utf-8")
    documented = rows(section(page, "`pmg train`"))
    assert {name: json.loads(cells[0].strip("`")) for name, cells in documented.items()} == {
        name: default(Recipe, name) for name in Recipe.model_fields
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).resolve().exists()]
    assert not missing


def test_the_paper_map_names_things_that_exist() -> None:
    page = (ROOT / "docs" / "paper-to-code.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:pmg_\w+)(?:\.\w+)*):(\w+(?:\.\w+)*)`", page)
    assert len(named) > 30
    for module, path in named:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    for module, kind, listed in re.findall(r"`([\w.]+):(\w+)`, fields? ([^|]*)", page):
        fields = getattr(importlib.import_module(module), kind).model_fields
        assert set(re.findall(r"`(\w+)`", listed)) <= set(fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"^ {4}make (\w+)", text, re.M)) <= targets
    for module, options in re.findall(r"python -m (recipes[\w.]+)([^`\n]*)", text):
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        unknown = [name for name in re.findall(r"--[\w-]+", options) if not known(name, source)]
        assert not unknown, f"{module} does not take {unknown}"
    from pmg_sdk.cli import main

    for command, options in re.findall(r"^ {4}pmg ([a-z][\w-]*)([^`\n]*)", text, re.M):
        does = real(main.commands[command])
        nested = [real(each) for each in getattr(does, "commands", {}).values()]
        taken = {flag for each in (does, *nested) for parameter in each.params for flag in parameter.opts}
        assert set(re.findall(r"(?<=\s)--?[a-z][\w-]*", options)) <= taken, command


def real(command: Any) -> Any:
    """A command that is imported when it is used stands for another."""
    return getattr(command, "real", command)


def known(option: str, source: str) -> bool:
    """Whether a recipe takes the option; some are added in a loop, by name."""
    return f'"{option}"' in source or f'"{option.removeprefix("--")}"' in source


def test_the_dependencies_page_lists_what_pyproject_asks_for() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(one for many in project["optional-dependencies"].values() for one in many),
    ]
    names = {re.split(r"[\[<>=, ]", one, maxsplit=1)[0].replace("_", "-") for one in asked} - {"pmg-sdk"}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| ([\w-]+) \|", page, re.M)) - {"package"}
    assert listed == names


@pytest.mark.parametrize(
    ("page", "recipe", "least"), [("embedded-models.md", "emoji", 15), ("embedded-music.md", "music", 20)]
)
def test_the_figures_of_the_embedded_models_are_those_of_the_results(
    page: str, recipe: str, least: int
) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    figures = re.findall(r"\| `(evaluation|selection)/([\w/]+)` \| (\S+) \|", text)
    assert len(figures) > least
    for name, path, stated in figures:
        value = json.loads((ROOT / "recipes" / recipe / "results" / f"{name}.json").read_text("utf-8"))
        for key in path.split("/"):
            value = value[key]
        assert stated == (f"{value:.3f}" if isinstance(value, float) else f"{value}"), path


@pytest.mark.parametrize(
    "folder",
    [
        *(
            f"models/pmg_models/{name}"
            for name in ("emoji-diffusion", "emoji-clip", "music-diffusion", "music-clap")
        ),
        "recipes/emoji/judge",
        "recipes/music/judge",
    ],
)
def test_a_model_card_speaks_of_the_weights_beside_it(folder: str) -> None:
    card = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    for line in (ROOT / folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        assert line in card
        stated, name = line.split()
        assert hashlib.sha256((ROOT / folder / name).read_bytes()).hexdigest() == stated


def test_notice_names_every_art_package_that_the_recipe_draws() -> None:
    source = (ROOT / "recipes" / "emoji" / "art.py").read_text(encoding="utf-8")
    used = set(re.findall(r'"((?:@[\w-]+/)?[\w-]+)@\d', source))
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert len(used) == 7
    assert {package for package in used if package not in notice} == set()
    assert set(re.findall(r"@[\w-]+/[\w-]+", notice)) <= used
