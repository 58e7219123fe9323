"""Which pieces are trained on, which are held out, and their labels as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from pmg_scenarios.background_music.vocabulary import GENRES, INSTRUMENTS, MOODS, TEMPI
from recipes.music.compose import Piece

__all__ = ["ATTRIBUTES", "VALUES", "held_out", "is_held_out", "labels", "sampled"]

ATTRIBUTES = ("instrument", "genre", "mood", "tempo")
VALUES: dict[str, tuple[str, ...]] = {
    "instrument": tuple(INSTRUMENTS),
    "genre": tuple(GENRES),
    "mood": tuple(MOODS),
    "tempo": tuple(TEMPI),
}


def is_held_out(instrument: str, genre: str, mood: str) -> bool:
    """Whether a combination is kept from all training: of every instrument one mood and one genre."""
    number = VALUES["instrument"].index(instrument)
    return VALUES["mood"].index(mood) == number * 3 % len(VALUES["mood"]) or VALUES["genre"].index(
        genre
    ) == number * 5 % len(VALUES["genre"])


def held_out() -> list[tuple[str, str, str, str]]:
    """Every held-out combination of instrument, genre, mood and tempo."""
    return [
        (instrument, genre, mood, tempo)
        for instrument, genre, mood, tempo in product(*VALUES.values())
        if is_held_out(instrument, genre, mood)
    ]


def sampled(count: int, *, seed: int, unseen: bool | None = False) -> list[Piece]:
    """Pieces drawn evenly from the combinations that are trained on, from those held out, or (None) all."""
    rng = np.random.default_rng(seed)
    every = [c for c in product(*VALUES.values()) if unseen is None or is_held_out(*c[:3]) == unseen]
    order = np.concatenate([rng.permutation(len(every)) for _ in range(-(-count // len(every)))])[:count]
    return [Piece(*every[index], seed=seed * 10_000_000 + number) for number, index in enumerate(order)]


def labels(pieces: Sequence[Piece]) -> np.ndarray:
    """int64 (n, 4): places in `VALUES`, by `ATTRIBUTES`."""
    return np.array(
        [[VALUES[name].index(getattr(piece, name)) for name in ATTRIBUTES] for piece in pieces], np.int64
    ).reshape(-1, len(ATTRIBUTES))
