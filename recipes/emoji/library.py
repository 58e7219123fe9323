"""The drawn icons as arrays: originals and animals with expressions, with integer labels.

Label 0 of `expression` and of `colour` means none; names are indices into `Library.names`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.emoji.art import load_art
from recipes.emoji.expressions import ANIMALS, load_expressions
from recipes.emoji.vocabulary import COLOURS, EXPRESSIONS, FACES, STYLES

__all__ = ["Library", "load_library"]

COLOURABLE = {"objects", "travel-places", "food-drink", "animals-nature", "activities", "smileys-emotion"}


@dataclass(frozen=True)
class Library:
    """All icons, originals first.

    Attributes:
        rgba: uint8 (N, 128, 128, 4), straight alpha.
        names: every icon name, sorted.
        tags: keywords of each name.
        name, style, expression, colour: int16 (N,), labels of each icon.
        paintable: bool (N,), whether a change of colour shows.
        originals: how many rows are original art; the rest wear a drawn-on expression.
        animals: word for an animal that wears expressions -> index of its icon name.
    """

    rgba: np.ndarray
    names: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    name: np.ndarray
    style: np.ndarray
    expression: np.ndarray
    colour: np.ndarray
    paintable: np.ndarray
    originals: int
    animals: dict[str, int]

    def row(self, name: str, style: str) -> int:
        """Row of the original icon of a name and style, or -1."""
        match = (self.name == self.names.index(name)) & (self.style == STYLES.index(style))
        rows = np.flatnonzero(match[: self.originals])
        return int(rows[0]) if len(rows) else -1


def load_library(folder: Path) -> Library:
    """Read `art.zip` and `expressions.zip` of `folder`."""
    art = load_art(folder / "art.zip")
    drawn = load_expressions(folder / "expressions.zip")
    names = tuple(sorted({icon.name for icon in art.index}))
    number = {name: i for i, name in enumerate(names)}
    tags: list[tuple[str, ...]] = [()] * len(names)
    for icon in art.index:
        tags[number[icon.name]] = tuple(tag for tag in icon.tags if tag != icon.name)[:12]

    words = list(EXPRESSIONS)
    worn = {face: words.index(word) + 1 for word, faces in FACES.items() for face in faces}
    code = {icon.hexcode: number[icon.name] for icon in art.index}
    animals = {animal: code[hexcode] for animal, hexcode in ANIMALS.items() if hexcode in code}
    name = [number[icon.name] for icon in art.index]
    name += [animals[icon.animal] for icon in drawn.index]
    expression = [worn.get(icon.name, 0) for icon in art.index]
    expression += [words.index(icon.expression) + 1 for icon in drawn.index]
    style = [STYLES.index(icon.style) for icon in [*art.index, *drawn.index]]

    rgba = np.concatenate([art.rgba, drawn.rgba])
    colour, share = dominant_colours(rgba)
    groups = np.array([icon.group in COLOURABLE for icon in art.index] + [False] * len(drawn.index))
    faces = np.array([bool(worn.get(icon.name, 0)) for icon in art.index] + [True] * len(drawn.index))
    return Library(
        rgba=rgba,
        names=names,
        tags=tuple(tags),
        name=np.array(name, np.int16),
        style=np.array(style, np.int16),
        expression=np.array(expression, np.int16),
        colour=np.where(share > 0.6, colour, 0).astype(np.int16),
        paintable=groups & ~faces & (share > 0.35),
        originals=len(art.index),
        animals=animals,
    )


def dominant_colours(rgba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The commonest colour word of each icon (1-based) and its share of the painted area."""
    hues = np.array(list(COLOURS.values()))
    colour = np.zeros(len(rgba), np.int16)
    share = np.zeros(len(rgba), np.float32)
    for i, icon in enumerate(rgba):
        pixels = icon[::2, ::2].reshape(-1, 4)
        pixels = pixels[pixels[:, 3] > 128, :3] / np.float32(255)
        hue, vivid = _hues(pixels)
        if not vivid.any():
            continue
        distance = np.abs((hue[vivid, None] - hues + 180) % 360 - 180)
        counts = np.bincount(distance.argmin(1)[distance.min(1) < 25], minlength=len(hues))
        colour[i] = counts.argmax() + 1
        share[i] = counts.max() / len(pixels)
    return colour, share


def _hues(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hue in degrees of every pixel (n, 3), and whether it is bright and saturated enough to count."""
    high, low = pixels.max(1, initial=0), pixels.min(1, initial=1)
    spread = np.maximum(high - low, 1e-6)
    r, g, b = pixels.T
    hue = np.select(
        [high == r, high == g], [(g - b) / spread % 6, (b - r) / spread + 2], (r - g) / spread + 4
    )
    return hue * 60, (high > 0.35) & (spread > 0.35 * high)
