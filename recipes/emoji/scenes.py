"""Which icons stand in a training picture, how, and with which weights: drawn at random, reproducibly."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recipes.emoji.library import Library
from recipes.emoji.vocabulary import (
    COLOURS,
    EXPRESSIONS,
    HELD_OUT_COLOURS,
    HELD_OUT_EXPRESSIONS,
    HELD_OUT_PAIRS,
    STYLES,
)

__all__ = ["KINDS", "Scenes", "arrange", "draw_scenes", "held_out_rows"]

KINDS: dict[str, float] = {
    "single": 0.37,
    "expression": 0.13,
    "face with": 0.13,
    "pair": 0.25,
    "painted": 0.12,
}
"""Kind of scene -> share of the training pictures."""


@dataclass(frozen=True)
class Scenes:
    """A table of n scenes.

    Attributes:
        kind: index into `KINDS`.
        first, second: rows of the library; second is -1 where there is one icon.
        paint: colour label the first icon is painted with, 0 for none.
        weight: float32 (n, 2), weights of the two text parts; in pairs they set the sizes.
        place: float32 (n, 2, 4), for each icon x, y (in half canvases), scale, mirror (+-1).
        noise: float32 (n,), a random number in [0, 1) for the words of the scene.
    """

    kind: np.ndarray
    first: np.ndarray
    second: np.ndarray
    paint: np.ndarray
    weight: np.ndarray
    place: np.ndarray
    noise: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, rows: slice | np.ndarray) -> Scenes:
        return Scenes(*(getattr(self, field.name)[rows] for field in fields(self)))


def held_out_rows(library: Library) -> np.ndarray:
    """bool (N,): drawn-on expressions that no training picture may show."""
    words = list(EXPRESSIONS)
    banned = np.zeros(len(library.name), bool)
    for animal, expression in HELD_OUT_EXPRESSIONS:
        banned |= (library.name == library.animals[animal]) & (
            library.expression == words.index(expression) + 1
        )
    banned[: library.originals] = False
    return banned


def draw_scenes(library: Library, count: int, seed: int) -> Scenes:
    """`count` scenes without any held-out combination."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(KINDS), size=count, p=list(KINDS.values()))
    names = list(KINDS)
    originals = np.arange(library.originals)
    faces = originals[(library.expression[originals] > 0) & _plain(library, originals)]
    things = originals[library.expression[originals] == 0]
    worn = np.flatnonzero(~held_out_rows(library) & (library.expression > 0))
    worn = worn[(worn >= library.originals) | np.isin(worn, _cats(library))]
    paintable = originals[library.paintable[originals]]

    first = rng.choice(originals, count)
    second = np.full(count, -1)
    paint = np.zeros(count, np.int16)
    for label, pool in (("expression", worn), ("face with", faces), ("pair", things), ("painted", paintable)):
        at = kind == names.index(label)
        first[at] = rng.choice(pool, at.sum())
    at = kind == names.index("face with")
    second[at] = _of_same_style(library, first[at], things, rng)
    at = kind == names.index("pair")
    second[at] = _allowed_partner(library, first[at], things, rng)
    at = kind == names.index("painted")
    paint[at] = _allowed_colour(library, first[at], rng)

    weight = np.exp(rng.uniform(np.log(0.5), np.log(1.6), (count, 2))).astype(np.float32)
    weight[rng.random(count) < 0.6] = 1.0
    scenes = Scenes(
        kind=kind.astype(np.int8),
        first=first.astype(np.int32),
        second=second.astype(np.int32),
        paint=paint,
        weight=weight,
        place=np.zeros((count, 2, 4), np.float32),
        noise=rng.random(count).astype(np.float32),
    )
    arrange(scenes, rng)
    return scenes


def _plain(library: Library, rows: np.ndarray) -> np.ndarray:
    return ~np.isin(rows, _cats(library))


def _cats(library: Library) -> np.ndarray:
    """Rows of the original cats that wear an expression."""
    cats = {i for i, name in enumerate(library.names) if " cat" in f" {name}"}
    rows = np.arange(library.originals)
    return rows[(library.expression[rows] > 0) & np.isin(library.name[rows], list(cats))]


def _of_same_style(
    library: Library, first: np.ndarray, pool: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    partner = np.empty(len(first), np.int64)
    for style in range(len(STYLES)):
        at = library.style[first] == style
        partner[at] = rng.choice(pool[library.style[pool] == style], at.sum())
    return partner


def _allowed_partner(
    library: Library, first: np.ndarray, pool: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    number = {name: i for i, name in enumerate(library.names)}
    banned = {frozenset((number[a], number[b])) for a, b in HELD_OUT_PAIRS}
    partner = _of_same_style(library, first, pool, rng)
    while True:
        a, b = library.name[first], library.name[partner]
        bad = np.array(
            [x == y or frozenset((int(x), int(y))) in banned for x, y in zip(a, b, strict=True)], bool
        )
        if not bad.any():
            return partner
        partner[bad] = _of_same_style(library, first[bad], pool, rng)


def _allowed_colour(library: Library, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    words = list(COLOURS)
    banned = {(library.names.index(name), words.index(colour) + 1) for name, colour in HELD_OUT_COLOURS}
    colour = rng.integers(1, len(words) + 1, len(first))
    while True:
        bad = np.array(
            [(int(n), int(c)) in banned for n, c in zip(library.name[first], colour, strict=True)], bool
        )
        if not bad.any():
            return colour
        colour[bad] = rng.integers(1, len(words) + 1, bad.sum())


def arrange(scenes: Scenes, rng: np.random.Generator) -> None:
    """Set places: one icon fills the canvas; of two, the heavier is larger, the second stands in front."""
    count = len(scenes)
    face_with = list(KINDS).index("face with")
    jitter = rng.uniform(-0.03, 0.03, (count, 2, 2))
    ratio = scenes.weight[:, 1] / scenes.weight[:, 0]
    ratio = np.where(scenes.kind == face_with, 1 / ratio, ratio)
    single = scenes.second < 0
    large = np.clip(0.72 * ratio**-0.25, 0.5, 0.88)
    small = np.clip(0.56 * ratio**0.3, 0.36, 0.76)
    place = scenes.place
    place[:, 0, 2] = np.where(single, rng.uniform(0.94, 1.02, count), large)
    place[:, 1, 2] = small
    place[:, 0, :2] = jitter[:, 0] - np.where(single, 0, 1 - large)[:, None]
    place[:, 1, :2] = jitter[:, 1] + (1 - small)[:, None]
    place[:, :, 3] = np.where(rng.random((count, 2)) < 0.15, -1.0, 1.0)
