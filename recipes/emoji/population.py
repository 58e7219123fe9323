"""A simulated population of emoticon users, for training and judging soft preference embeddings.

`python -m recipes.emoji.population --data build/emoji --out build/emoji/population`

Nobody's real behaviour: users are drawn from a seed. A user has a taste: one or two topics (mammals, sweets,
sport, ...), a drawing style with a second one beside it, and in two of three cases a colour. What they use
follows the taste most of the time. The scenario's attributes ask for one subject and one style; nobody asks
for the colour, the second topic or the second style: this is what soft embeddings can add to keywords.

Writes one JSONL file a part, a behaviour a line in the format that `pmg train` reads (oldest item first), the
pictures beside them, and `tastes.jsonl`, the truth behind the users, which nothing but a plot should read.

Names that test users end on are given to no other user and to no history, and those that validation users end
on likewise: no item that a test is about was seen in training, in any style.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from recipes.emoji.art import load_art
from recipes.emoji.catalogue import chosen
from recipes.emoji.library import Library, load_library
from recipes.emoji.vocabulary import COLOURS, STYLE_PHRASES, STYLES

__all__ = ["PARTS", "TOPICS", "Population", "Taste", "main"]

PARTS: dict[str, int] = {"train": 4000, "validation": 300, "test": 300}
"""Users of each part."""

TOPICS: dict[str, tuple[str, ...]] = {
    "mammals": ("animal-mammal",),
    "birds": ("animal-bird",),
    "bugs": ("animal-bug",),
    "the sea": ("animal-marine",),
    "plants": ("plant-flower", "plant-other"),
    "drinks": ("drink", "dishware"),
    "asian food": ("food-asian",),
    "fruit": ("food-fruit",),
    "meals": ("food-prepared",),
    "sweets": ("food-sweet",),
    "vegetables": ("food-vegetable",),
    "books": ("book-paper",),
    "clothes": ("clothing",),
    "computers": ("computer",),
    "music": ("musical-instrument",),
    "sport": ("sport", "award-medal"),
    "games": ("game",),
    "parties": ("event", "arts-crafts"),
    "the sky": ("sky-weather",),
    "hearts": ("heart", "emotion"),
    "happy faces": ("face-smiling", "face-affection", "face-tongue", "face-glasses", "face-hat"),
    "sad faces": ("face-concerned", "face-unwell", "face-sleepy"),
    "cats and monkeys": ("cat-face", "monkey-face"),
    "monsters": ("face-costume", "face-negative", "animal-reptile"),
}
"""Topic -> subgroups of Unicode's emoji list."""

ENDS: dict[str, float] = {"test": 0.16, "validation": 0.08}
"""Share of each topic's names that only users of this part end on."""

HISTORY = (5, 9)
"""Fewest and most items before the last."""

STRAY = 0.08
"""How often an item is anything at all."""

COLOUR_PULL = 8.0
"""How much likelier an item of the liked colour is."""

ABOUT_THINGS = (
    "My {thing} made my day",
    "Did you see the {thing}?",
    "I keep thinking of the {thing}",
    "The {thing} was great yesterday",
    "Tell me more about the {thing}",
)
ABOUT_TOPICS = (
    "I could talk about {topic} all day",
    "Nothing beats {topic}",
    "It is all about {topic} for me",
)
ABOUT_COLOURS = ("I painted my room {colour}", "I mostly wear {colour}", "Everything is better in {colour}")
ABOUT_STYLES: dict[str, tuple[str, ...]] = {
    "glossy": ("I like pictures that look real and shiny",),
    "flat": ("Simple shapes look best to me",),
    "outline": ("I prefer drawings without colours",),
    "noto": (),
    "twemoji": (),
}
SMALL_TALK = ("See you on Monday", "I am late, sorry!", "Can you call me back?", "What a long day")


@dataclass(frozen=True)
class Taste:
    """What a user likes.

    Attributes:
        topics: keys of `TOPICS`, the dearest first.
        styles: main and second style; the main one is used four times in five.
        colour: key of `COLOURS`, or None.
    """

    topics: tuple[str, ...]
    styles: tuple[str, str]
    colour: str | None


class Population:
    """Draws users over the icons of a library.

    Args:
        icons: (name, subgroup) of everything a user can choose, one each.
        colours: label of each icon's commonest colour, 0 for none.
        drawn: bool (icons, styles), whether there is a picture.
    """

    def __init__(
        self, icons: Sequence[tuple[str, str]], colours: np.ndarray, drawn: np.ndarray, seed: int
    ) -> None:
        self.names = [name for name, _ in icons]
        self.colours, self.drawn = colours, drawn
        self._rng = np.random.default_rng(seed)
        subgroups = np.array([subgroup for _, subgroup in icons])
        self._members = {
            topic: np.flatnonzero(np.isin(subgroups, groups)) for topic, groups in TOPICS.items()
        }
        self.ends = {part: np.zeros(len(icons), bool) for part in PARTS}
        for members in self._members.values():
            shuffled = self._rng.permutation(members)
            at = 0
            for part, share in ENDS.items():
                count = max(1, round(share * len(members)))
                self.ends[part][shuffled[at : at + count]] = True
                at += count
        self._common = ~(self.ends["test"] | self.ends["validation"])
        self.ends["train"] = self._common

    def users(self, part: str, count: int) -> Iterator[tuple[Taste, list[tuple[int, int]], list[str]]]:
        """Taste, items as (icon, style) with the last one last, and messages of `count` users."""
        for _ in range(count):
            taste = self._taste()
            items = self._items(taste, part)
            yield taste, items, self._messages(taste, items[:-1])

    def _taste(self) -> Taste:
        rng = self._rng
        topics = rng.choice(list(TOPICS), size=1 if rng.random() < 0.5 else 2, replace=False)
        styles = rng.choice(STYLES, size=2, replace=False)
        colour = str(rng.choice(list(COLOURS))) if rng.random() < 2 / 3 else None
        return Taste(tuple(map(str, topics)), (str(styles[0]), str(styles[1])), colour)

    def _items(self, taste: Taste, part: str) -> list[tuple[int, int]]:
        length = int(self._rng.integers(HISTORY[0], HISTORY[1] + 1))
        items: list[tuple[int, int]] = []
        for place in range(length + 1):
            allowed = (self.ends[part] if place == length else self._common).copy()
            allowed[[icon for icon, _ in items]] = False
            items.append(self._item(taste, allowed))
        return items

    def _item(self, taste: Taste, allowed: np.ndarray) -> tuple[int, int]:
        rng = self._rng
        style = STYLES.index(taste.styles[int(rng.random() > 0.8)])
        possible = allowed & self.drawn[:, style]
        liking = np.zeros(len(self.names))
        for topic, share in zip(taste.topics, (0.65, 0.35), strict=False):
            members = self._members[topic]
            liking[members] += share / len(members)
        if taste.colour is not None:
            liking[self.colours == list(COLOURS).index(taste.colour) + 1] *= COLOUR_PULL
        liking *= possible
        if rng.random() < STRAY or liking.sum() == 0:
            liking = possible.astype(float)
        return int(rng.choice(len(self.names), p=liking / liking.sum())), style

    def _messages(self, taste: Taste, history: Sequence[tuple[int, int]]) -> list[str]:
        """Up to three; what they speak of is in the taste or in the history, never the last item."""
        rng = self._rng
        if rng.random() < 0.3:
            return []
        icon, _ = history[int(rng.integers(len(history)))]
        said = [str(rng.choice(ABOUT_THINGS)).format(thing=self.names[icon])]
        if rng.random() < 0.4:
            said.append(str(rng.choice(ABOUT_TOPICS)).format(topic=taste.topics[0]))
        if taste.colour and rng.random() < 0.3:
            said.append(str(rng.choice(ABOUT_COLOURS)).format(colour=taste.colour))
        if (phrases := ABOUT_STYLES[taste.styles[0]]) and rng.random() < 0.3:
            said.append(str(rng.choice(phrases)))
        if rng.random() < 0.3:
            said.append(str(rng.choice(SMALL_TALK)))
        return [said[i] for i in rng.permutation(len(said))[:3]]


def from_library(library: Library, icons: dict[str, str], seed: int) -> Population:
    """A population over the icons `name -> subgroup`; outlines have no colour and do not vote on one."""
    originals = np.arange(library.originals)
    names = np.array(library.names)[library.name[originals]]
    styles = library.style[originals]
    ordered = sorted(icons)
    number = {name: index for index, name in enumerate(ordered)}
    drawn = np.zeros((len(ordered), len(STYLES)), bool)
    votes = np.zeros((len(ordered), len(COLOURS) + 1), int)
    for row, (name, style) in enumerate(zip(names, styles, strict=True)):
        if (index := number.get(str(name))) is not None:
            drawn[index, style] = True
            votes[index, library.colour[row]] += 1
    votes[:, 0] = 1  # two styles that agree on a colour outvote none
    return Population([(name, icons[name]) for name in ordered], votes.argmax(1), drawn, seed)


def write(population: Population, art: Path, out: Path, parts: dict[str, int], seed: int) -> None:
    """The files that the module's head lists; pictures of what somebody uses only."""
    loaded = load_art(art)
    row = {(icon.name, icon.style): index for index, icon in enumerate(loaded.index)}
    out.mkdir(parents=True, exist_ok=True)
    used: set[tuple[str, str]] = set()
    truths = []
    for part, count in parts.items():
        with (out / f"{part}.jsonl").open("w", encoding="utf-8") as file:
            for index, (taste, items, messages) in enumerate(population.users(part, count)):
                named = [(population.names[icon], STYLES[style]) for icon, style in items]
                used.update(named)
                user = {"id": f"{part}-{index:04d}", "history": [_entry(*item) for item in named]}
                file.write(json.dumps({**user, "conversation": messages, "target": named[-1][0]}) + "\n")
                truths.append({"id": user["id"], **asdict(taste)})
    for name, style in sorted(used):
        path = out / _picture(name, style)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(loaded.rgba[row[name, style]]).save(path, "WEBP", lossless=True, method=0)
    (out / "tastes.jsonl").write_text("".join(json.dumps(truth) + "\n" for truth in truths))
    about = {"seed": seed, "users": parts, "pictures": len(used), "simulated": True}
    (out / "population.json").write_text(json.dumps(about, indent=1) + "\n")


def _entry(name: str, style: str) -> dict[str, Any]:
    text = f"{name}, {STYLE_PHRASES[style]}"
    return {"text": text, "image": _picture(name, style), "id": f"{name}|{style}"}


def _picture(name: str, style: str) -> str:
    return f"pictures/{style}/{name.replace(' ', '-').replace('/', '-')}.webp"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/population"))
    parser.add_argument("--seed", type=int, default=0)
    for part, count in PARTS.items():
        parser.add_argument(f"--{part}", type=int, default=count, help=f"users, {count} by default")
    options = parser.parse_args()
    parts = {part: getattr(options, part) for part in PARTS}
    icons = {i.name: i.subgroup for i in load_art(options.data / "art.zip").index if chosen(i, set())}
    population = from_library(load_library(options.data), icons, options.seed)
    write(population, options.data / "art.zip", options.out, parts, options.seed)
    print(f"{sum(parts.values()):,} users in {options.out}")


if __name__ == "__main__":
    main()
