"""A simulated population of emoticon users, for training and judging soft preference embeddings.

`python -m recipes.emoji.population --data build/emoji --out build/emoji/population`

Nobody's real behaviour: users are drawn from a seed, each with a taste. All have one or two topics (mammals,
sweets, sport, ...), a drawing style with a second one beside it, and in two of three cases a colour. Half are
*collectors*, who use icons of their topics and end on one, asked for by its name. Half are *devoted* to one
animal or thing: it comes again and again, and they end on a sticker of it, asked for by a feeling ("crying").
All follow their taste most of the time. The scenario's attributes ask for one subject and one style; nobody
asks for the colour, the second topic or style, or whether the subject belongs into the picture at all: this
is what soft embeddings can add to keywords.

Writes one JSONL file a part, a behaviour a line in the format that `pmg prepare` reads (oldest item first),
the pictures beside them, and `tastes.jsonl`, the truth behind the users, which only a plot should read.

What test users end on is given to no other user and to no history, and what validation users end on
likewise: names of icons in any style, and pairs of subject and feeling.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pmg_scenarios.emoticons.expressions import EXPRESSIONS as FEELINGS
from recipes.emoji.art import load_art
from recipes.emoji.catalogue import chosen
from recipes.emoji.expressions import ANIMALS
from recipes.emoji.library import Library, load_library
from recipes.emoji.stickers import Sticker, draw
from recipes.emoji.vocabulary import COLOURS, HELD_OUT_EXPRESSIONS, STYLES

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
    "monsters": ("face-costume", "face-negative", "animal-reptile", "transport-air"),
}
"""Topic -> subgroups of Unicode's emoji list."""

FACES = ("hearts", "happy faces", "sad faces", "cats and monkeys")
"""Topics nobody is devoted to a thing of: their icons are feelings themselves."""

ENDS: dict[str, float] = {"test": 0.16, "validation": 0.08}
"""Share of each topic's names, and of each subject's feelings, that only users of this part end on."""

HISTORY = (5, 9)
"""Fewest and most items before the last."""

STRAY = 0.08
"""How often an item is anything at all."""

DEVOTION = 0.6
"""How often an item of the devoted is of their subject."""

COLOUR_PULL = 8.0
"""How much likelier an item of the liked colour is."""

ABOUT_THINGS = (
    "My {thing} made my day",
    "Did you see the {thing}?",
    "I keep thinking of the {thing}",
    "The {thing} was great yesterday",
    "Tell me more about the {thing}",
)
ABOUT_TOPICS = ("I could talk about {topic} all day", "Nothing beats {topic}", "I live for {topic}")
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
        subject: the animal or thing that the devoted are devoted to; "" for collectors.
    """

    topics: tuple[str, ...]
    styles: tuple[str, str]
    colour: str | None
    subject: str = ""


class Population:
    """Draws users over the icons of a library.

    Args:
        icons: name -> subgroup of everything a user can choose.
        colours: name -> word for its commonest colour, where it has one.
        drawn: (name, style) of every icon there is a picture of.
    """

    def __init__(
        self,
        icons: Mapping[str, str],
        colours: Mapping[str, str],
        drawn: set[tuple[str, str]],
        seed: int,
    ) -> None:
        self._rng = np.random.default_rng(seed)
        self._names = sorted(icons)
        self._colours = np.array([colours.get(name, "") for name in self._names])
        self._drawn = np.array([[(name, style) in drawn for style in STYLES] for name in self._names])
        subgroups = np.array([icons[name] for name in self._names])
        self._members = {
            topic: np.flatnonzero(np.isin(subgroups, groups)) for topic, groups in TOPICS.items()
        }
        self._ends = self._reserve()
        self._subjects = self._devotions()

    def users(self, part: str, count: int) -> Iterator[tuple[Taste, list[Sticker], list[str]]]:
        """Taste, items with the last one last, and messages of `count` users."""
        for _ in range(count):
            taste = self._taste(part)
            items = self._items(taste, part)
            yield taste, items, self._messages(taste, items[:-1])

    def _reserve(self) -> dict[str, np.ndarray]:
        """bool (icons,) for every part: what its collectors may end on; for "train", all that is common."""
        ends = {part: np.zeros(len(self._names), bool) for part in PARTS}
        for members in self._members.values():
            shuffled, at = self._rng.permutation(members), 0
            for part, share in ENDS.items():
                count = max(1, round(share * len(members)))
                ends[part][shuffled[at : at + count]] = True
                at += count
        ends["train"] = ~(ends["test"] | ends["validation"])
        return ends

    def _devotions(self) -> dict[str, tuple[str, np.ndarray]]:
        """Subject -> its topic and its common icons."""
        found: dict[str, tuple[str, np.ndarray]] = {}
        common = self._ends["train"]
        for topic, members in self._members.items():
            if topic not in FACES:
                found |= {self._names[icon]: (topic, np.array([icon])) for icon in members if common[icon]}
        for animal in ANIMALS:
            words = set(animal.split())
            icons = [i for i, name in enumerate(self._names) if common[i] and words <= set(name.split())]
            if icons:
                found[animal] = ("mammals", np.array(icons))
        return found

    def _taste(self, part: str) -> Taste:
        rng = self._rng
        topics = list(map(str, rng.choice(list(TOPICS), 1 if rng.random() < 0.5 else 2, replace=False)))
        styles = rng.choice(STYLES, size=2, replace=False)
        colour = str(rng.choice(list(COLOURS))) if rng.random() < 2 / 3 else None
        subject = ""
        if rng.random() < 0.5:
            # Half of the devoted love an animal that wears feelings itself, half a thing.
            animal = rng.random() < 0.5
            known = [name for name in self._subjects if (name in ANIMALS) == animal]
            subject = str(rng.choice([name for name in known if _feelings(name, part)]))
            topics[0] = self._subjects[subject][0]
        return Taste(tuple(dict.fromkeys(topics)), (str(styles[0]), str(styles[1])), colour, subject)

    def _items(self, taste: Taste, part: str) -> list[Sticker]:
        items: list[Sticker] = []
        for _ in range(int(self._rng.integers(HISTORY[0], HISTORY[1] + 1))):
            if taste.subject and self._rng.random() < DEVOTION:
                items.append(self._of_subject(taste))
            else:
                items.append(self._icon(taste, self._ends["train"], items))
        if taste.subject:
            items.append(self._sticker(taste, part))
        else:
            items.append(self._icon(taste, self._ends[part], items))
        return items

    def _of_subject(self, taste: Taste) -> Sticker:
        if self._rng.random() < 0.4:
            return self._sticker(taste, "train")
        style = self._style(taste)
        icons = self._subjects[taste.subject][1]
        icons = icons[self._drawn[icons, STYLES.index(style)]]
        if not len(icons):
            return self._sticker(taste, "train")
        return Sticker(self._names[int(self._rng.choice(icons))], style)

    def _sticker(self, taste: Taste, part: str) -> Sticker:
        feeling = str(self._rng.choice(_feelings(taste.subject, part)))
        return Sticker(taste.subject, self._style(taste), feeling)

    def _icon(self, taste: Taste, allowed: np.ndarray, before: Sequence[Sticker]) -> Sticker:
        """An icon whose name was not used before."""
        rng, used = self._rng, {item.subject for item in before}
        style = self._style(taste)
        possible = allowed & self._drawn[:, STYLES.index(style)] & ~np.isin(self._names, list(used))
        liking = np.zeros(len(self._names))
        for topic, share in zip(taste.topics, (0.65, 0.35), strict=False):
            members = self._members[topic]
            liking[members] += share / len(members)
        if taste.colour is not None:
            liking[self._colours == taste.colour] *= COLOUR_PULL
        liking *= possible
        if rng.random() < STRAY or liking.sum() == 0:
            liking = possible.astype(float)
        return Sticker(self._names[int(rng.choice(len(liking), p=liking / liking.sum()))], style)

    def _style(self, taste: Taste) -> str:
        return taste.styles[int(self._rng.random() > 0.8)]

    def _messages(self, taste: Taste, history: Sequence[Sticker]) -> list[str]:
        """Up to three; what they speak of is in the taste or in the history, never the last item."""
        rng = self._rng
        if rng.random() < 0.3:
            return []
        thing = taste.subject or history[int(rng.integers(len(history)))].subject
        said = [str(rng.choice(ABOUT_THINGS)).format(thing=thing)]
        if rng.random() < 0.4:
            said.append(str(rng.choice(ABOUT_TOPICS)).format(topic=taste.topics[0]))
        if taste.colour and rng.random() < 0.3:
            said.append(str(rng.choice(ABOUT_COLOURS)).format(colour=taste.colour))
        if (phrases := ABOUT_STYLES[taste.styles[0]]) and rng.random() < 0.3:
            said.append(str(rng.choice(phrases)))
        if rng.random() < 0.3:
            said.append(str(rng.choice(SMALL_TALK)))
        return [said[i] for i in rng.permutation(len(said))[:3]]


def _feelings(subject: str, part: str) -> list[str]:
    """Feelings that stickers of a subject show in a part; none that the generator has never seen on it."""
    unseen = {feeling for animal, feeling in HELD_OUT_EXPRESSIONS if animal == subject}
    allowed = []
    for feeling in FEELINGS:
        place = int(hashlib.sha256(f"{subject}:{feeling}".encode()).hexdigest(), 16) % 100 / 100
        owner = "test" if place < ENDS["test"] else "validation" if place < sum(ENDS.values()) else "train"
        if owner == part and feeling not in unseen:
            allowed.append(feeling)
    return allowed


def from_library(library: Library, icons: Mapping[str, str], seed: int) -> Population:
    """A population over the icons `name -> subgroup`; a colour is what two styles or more agree on."""
    votes: dict[str, list[int]] = {}
    drawn = set()
    for row in range(library.originals):
        name, style = library.names[library.name[row]], STYLES[library.style[row]]
        drawn.add((name, style))
        votes.setdefault(name, []).append(int(library.colour[row]))
    colours = {}
    for name, labels in votes.items():
        counts = np.bincount(labels, minlength=len(COLOURS) + 1)[1:]
        if counts.max() >= 2:
            colours[name] = list(COLOURS)[int(counts.argmax())]
    return Population(icons, colours, drawn, seed)


def write(population: Population, library: Library, out: Path, parts: Mapping[str, int], seed: int) -> None:
    """The files that the module's head lists; pictures of what somebody uses only."""
    out.mkdir(parents=True, exist_ok=True)
    used: dict[Sticker, None] = {}
    truths = []
    for part, count in parts.items():
        lines = []
        for index, (taste, items, messages) in enumerate(population.users(part, count)):
            used.update(dict.fromkeys(items))
            lines.append(
                {
                    "id": f"{part}-{index:04d}",
                    "history": [_entry(item) for item in items],
                    "conversation": messages,
                    "target": items[-1].feeling or items[-1].subject,
                }
            )
            truths.append({"id": f"{part}-{index:04d}", **asdict(taste)})
        (out / f"{part}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw(list(used), library, out)
    (out / "tastes.jsonl").write_text("".join(json.dumps(truth) + "\n" for truth in truths))
    about = {"seed": seed, "users": dict(parts), "pictures": len(used), "simulated": True}
    (out / "population.json").write_text(json.dumps(about, indent=1) + "\n")


def _entry(item: Sticker) -> dict[str, Any]:
    return {"text": item.text, "image": item.file, "id": item.id}


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
    library = load_library(options.data)
    write(from_library(library, icons, options.seed), library, options.out, parts, options.seed)
    print(f"{sum(parts.values()):,} users in {options.out}")


if __name__ == "__main__":
    main()
