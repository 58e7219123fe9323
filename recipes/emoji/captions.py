"""Keywords for a scene, as the pipeline will later send them: one or two parts, each a short list."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from recipes.emoji.library import Library
from recipes.emoji.scenes import KINDS, Scenes
from recipes.emoji.vocabulary import COLOURS, EXPRESSIONS, STYLE_PHRASES, STYLES

__all__ = ["Caption", "caption", "concepts"]

_KINDS = list(KINDS)
_COLOURS = list(COLOURS)
_EXPRESSIONS = list(EXPRESSIONS)
_PHRASES = [STYLE_PHRASES[style] for style in STYLES]


@dataclass(frozen=True)
class Caption:
    """Two text parts (either may be empty, not both) and what they claim.

    Attributes:
        parts: preference-like and target-like keywords.
        claims: for each part, the concepts (see `concepts`) a picture needs to fit it.
    """

    parts: tuple[str, str]
    claims: tuple[tuple[int, ...], tuple[int, ...]]


def concepts(library: Library) -> dict[str, int]:
    """Where each family of concepts starts in one common numbering, and `total`."""
    start = {"name": 0}
    start["style"] = len(library.names)
    start["expression"] = start["style"] + len(STYLES)
    start["colour"] = start["expression"] + len(EXPRESSIONS) + 1
    start["total"] = start["colour"] + len(COLOURS) + 1
    return start


@dataclass
class _Part:
    words: list[str]
    claims: list[int]

    def add(self, words: list[str], claims: list[int]) -> None:
        self.words += words
        self.claims += claims

    def text(self, rng: Random) -> str:
        if rng.random() < 0.3:
            rng.shuffle(self.words)
        return ", ".join(self.words)


def caption(library: Library, scenes: Scenes, row: int, rng: Random) -> Caption:
    """A random caption of scene `row`."""
    start = concepts(library)
    first, second = int(scenes.first[row]), int(scenes.second[row])
    kind = _KINDS[scenes.kind[row]]
    style = int(library.style[first])
    named = rng.random() < 0.85
    styled = ([_PHRASES[style]], [start["style"] + style]) if named else ([], [])
    expression = int(library.expression[first])
    felt = ([], []) if not expression else (_feeling(expression, rng), [start["expression"] + expression])
    thing = (_thing(library, int(library.name[first]), rng), [int(library.name[first])])
    left, right = _Part([], []), _Part([], [])
    draw = rng.random()

    if kind == "single":
        shown = felt if expression and rng.random() < 0.6 else thing
        if not expression and library.colour[first] and rng.random() < 0.25:
            colour = int(library.colour[first])
            shown = ([_coloured(shown[0], colour)], [*shown[1], start["colour"] + colour])
        if draw < 0.5:
            left.add(*shown)
            left.add(*styled)
        elif draw < 0.75:
            left.add(*styled)
            right.add(*shown)
        else:
            right.add(*shown)
            right.add(*styled)
    elif kind == "expression":
        if draw < 0.62:
            left.add(*thing)
            left.add(*styled)
            right.add(*felt)
        elif draw < 0.85:
            left.add([f"{felt[0][0]} {thing[0][0]}", *felt[0][1:]], thing[1] + felt[1])
            left.add(*styled)
        else:
            left.add(*styled)
            right.add([f"{felt[0][0]} {thing[0][0]}"], thing[1] + felt[1])
    elif kind in ("pair", "face with"):
        other_name = int(library.name[second])
        other = (_thing(library, other_name, rng), [other_name])
        if kind == "face with":
            thing, other = other, felt
        if draw < 0.62:
            left.add(*thing)
            left.add(*styled)
            right.add(*other)
        elif draw < 0.9:
            left.add([f"{thing[0][0]} with {other[0][0]}"], thing[1] + other[1])
            left.add(*styled)
        else:
            left.add(*styled)
            right.add(thing[0] + other[0], thing[1] + other[1])
    else:
        colour = int(scenes.paint[row])
        claim = start["colour"] + colour
        if draw < 0.65:
            left.add([_coloured(thing[0], colour)], [*thing[1], claim])
            left.add(*styled)
        else:
            left.add([_COLOURS[colour - 1]], [claim])
            left.add(*styled)
            right.add(*thing)
    if not left.words and not right.words:
        left.add([_PHRASES[style]], [start["style"] + style])
    return Caption((left.text(rng), right.text(rng)), (tuple(left.claims), tuple(right.claims)))


def _coloured(words: list[str], colour: int) -> str:
    word = words[0]
    for known in _COLOURS:
        word = word.removeprefix(f"{known} ")
    return f"{_COLOURS[colour - 1]} {word}"


def _feeling(expression: int, rng: Random) -> list[str]:
    words = EXPRESSIONS[_EXPRESSIONS[expression - 1]]
    count = rng.choice((1, 1, 2, 2, 3))
    picked = rng.sample(words, min(count, len(words)))
    if rng.random() < 0.4 and words[0] not in picked:
        picked[0] = words[0]
    return picked


def _thing(library: Library, name: int, rng: Random) -> list[str]:
    word, tags = library.names[name], library.tags[name]
    if word.endswith(" face") and rng.random() < 0.5:
        word = word.removesuffix(" face")
    draw = rng.random()
    if not tags or draw < 0.55:
        return [word]
    picked = rng.sample(tags, min(len(tags), rng.choice((1, 2))))
    return [word, *picked] if draw < 0.88 else picked
