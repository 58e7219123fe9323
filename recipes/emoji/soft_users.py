"""The simulated test users as an evaluation of soft embeddings needs them: what was read, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pmg_sdk.keywords import Keywords
from pmg_sdk.media import Image, Media
from pmg_sdk.training import ExampleFolder, UserFile, split

__all__ = ["Shown", "mismatched", "read_shown"]


@dataclass(frozen=True, eq=False)
class Shown:
    """A user whose last item is hidden from the models and kept for comparison.

    Attributes:
        prompt: (p, x, y) without the last item.
        preference: k^p, read from the same.
        asked: k^t, the name of the last item.
        history: pictures of the items before it.
        last: the picture of the last item, as the user chose it.
    """

    id: str
    prompt: str
    preference: Keywords
    asked: Keywords
    history: tuple[Media, ...]
    last: Media


def read_shown(population: Path, examples: Path, part: str = "test", most: int | None = None) -> list[Shown]:
    """Users of a part, in the order of their file."""
    users = UserFile(population / f"{part}.jsonl")
    prepared = {example.id: example for example in ExampleFolder(examples).read(part)}
    shown = []
    for user in users[:most]:
        if (example := prepared.get(user.id)) is None:
            continue
        parted = split(user.behavior, "image")
        pictures = tuple(medium for item in parted.given.liked for medium in item.media)
        shown.append(
            Shown(user.id, example.prompt, example.preference, example.target, pictures, parted.medium)
        )
    return shown


def mismatched(users: Sequence[Shown]) -> list[int]:
    """For every user the place of another, half the list away: drawn users come in no order."""
    return [(place + len(users) // 2) % len(users) for place in range(len(users))]


def pairs_with_history(
    pictures: Sequence[Image], users: Sequence[Shown]
) -> tuple[list[Image], list[Image], list[int]]:
    """Every picture beside each of its user's history: two lists of equal length, and whose pair it is."""
    mine, theirs, owner = [], [], []
    for place, (picture, user) in enumerate(zip(pictures, users, strict=True)):
        for medium in user.history:
            mine.append(picture)
            theirs.append(medium.picture())
            owner.append(place)
    return mine, theirs, owner
