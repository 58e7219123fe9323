"""What simulated users choose: icons, animals that wear a feeling, faces with a thing; and pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from recipes.emoji.expressions import ANIMALS
from recipes.emoji.library import Library
from recipes.emoji.pictures import Pictures
from recipes.emoji.scenes import KINDS, Scenes, arrange
from recipes.emoji.vocabulary import EXPRESSIONS, FACES, STYLE_PHRASES, STYLES

__all__ = ["Sticker", "draw"]

BATCH = 256


@dataclass(frozen=True)
class Sticker:
    """One picture to choose.

    Attributes:
        subject: name of an icon; with a feeling, a word of `ANIMALS` or the name of a thing.
        style: key of `STYLES`.
        feeling: "" for a plain icon.
    """

    subject: str
    style: str
    feeling: str = ""

    @property
    def text(self) -> str:
        """As captions have it: "crying dog, Noto style"."""
        if not self.feeling:
            shown = self.subject
        elif self.subject in ANIMALS:
            shown = f"{self.feeling} {self.subject}"
        else:
            shown = f"{self.feeling} face with {self.subject}"
        return f"{shown}, {STYLE_PHRASES[self.style]}"

    @property
    def id(self) -> str:
        """Equal for equal pictures."""
        return "|".join(part for part in (self.feeling, self.subject, self.style) if part)

    @property
    def file(self) -> str:
        """Where its picture lies in a population's folder."""
        name = "-".join(part for part in (self.feeling, self.subject) if part)
        return f"pictures/{self.style}/{name.replace(' ', '-').replace('/', '-')}.webp"


def draw(stickers: Sequence[Sticker], library: Library, out: Path) -> None:
    """Write every picture, 128 px on white, as the generator's training pictures were drawn."""
    rows = np.array([_rows(sticker, library) for sticker in stickers], np.int32).reshape(-1, 2)
    count = len(rows)
    kind = np.where(rows[:, 1] >= 0, list(KINDS).index("face with"), list(KINDS).index("single"))
    scenes = Scenes(
        kind=kind.astype(np.int8),
        first=rows[:, 0],
        second=rows[:, 1],
        paint=np.zeros(count, np.int16),
        weight=np.ones((count, 2), np.float32),
        place=np.zeros((count, 2, 4), np.float32),
        noise=np.zeros(count, np.float32),
    )
    arrange(scenes, np.random.default_rng(0))
    scenes.place[:, :, 3] = 1.0  # nothing mirrored
    scenes.place[kind == list(KINDS).index("single"), 0] = (0.0, 0.0, 1.0, 1.0)  # icons as they are
    pictures = Pictures(library, torch.device("cpu"))
    with ThreadPoolExecutor() as pool:
        for at in range(0, count, BATCH):
            drawn = pictures.draw(scenes[at : at + BATCH]).add(1).mul(127.5).round().clamp(0, 255)
            pixels = drawn.to(torch.uint8).permute(0, 2, 3, 1).numpy()
            list(pool.map(_save, [out / each.file for each in stickers[at : at + BATCH]], pixels))


def _rows(sticker: Sticker, library: Library) -> tuple[int, int]:
    """Rows of the first icon and of the second, -1 where there is one."""
    style = STYLES.index(sticker.style)
    if not sticker.feeling:
        return library.row(sticker.subject, sticker.style), -1
    label = list(EXPRESSIONS).index(sticker.feeling) + 1
    if sticker.subject in ANIMALS:
        animal = library.animals[sticker.subject]
        worn = (library.name == animal) & (library.style == style) & (library.expression == label)
        rows = np.flatnonzero(worn)
        rows = rows[rows >= library.originals]
        if len(rows):
            return int(rows[0]), -1
    faces = [library.row(face, sticker.style) for face in FACES[sticker.feeling] if " cat" not in f" {face}"]
    thing = library.animals.get(sticker.subject)
    name = library.names[thing] if thing is not None else sticker.subject
    return next(face for face in faces if face >= 0), library.row(name, sticker.style)


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "WEBP", lossless=True, method=0)
