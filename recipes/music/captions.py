"""What is said of a piece: the preference part (instrument, genre) and the scene part (mood, tempo).

The generator is conditioned on both parts, encoded apart and weighted, as the pipeline sends them.
"""

from __future__ import annotations

from itertools import product

from pmg_scenarios.background_music.vocabulary import GENRES, INSTRUMENTS, MOODS, TEMPI, scene_keyword
from recipes.music.pieces import VALUES

__all__ = ["ANY", "Caption", "joint_captions", "preference_captions", "scene_captions"]

ANY = -1
"""In a caption's labels: says nothing of this attribute."""

Caption = tuple[str, tuple[int, int, int, int]]
"""A text, and the labels it asks for, by `pieces.ATTRIBUTES`."""


def _place(name: str, value: str) -> int:
    return VALUES[name].index(value)


def preference_captions() -> list[Caption]:
    """Instrument, genre, or both in either order, in every wording."""
    found: list[Caption] = []
    for instrument, words in INSTRUMENTS.items():
        i = _place("instrument", instrument)
        found += [(word, (i, ANY, ANY, ANY)) for word in words]
        for genre, names in GENRES.items():
            g = _place("genre", genre)
            for word, name in product(words, names):
                found += [(f"{word}, {name}", (i, g, ANY, ANY)), (f"{name}, {word}", (i, g, ANY, ANY))]
    for genre, names in GENRES.items():
        found += [(name, (ANY, _place("genre", genre), ANY, ANY)) for name in names]
    return found


def scene_captions() -> list[Caption]:
    """Mood, tempo, or both, in every wording."""
    found: list[Caption] = []
    for mood, words in MOODS.items():
        m = _place("mood", mood)
        found += [(f"{word} music", (ANY, ANY, m, ANY)) for word in words]
        found += [(word, (ANY, ANY, m, ANY)) for word in words]
        for tempo, paces in TEMPI.items():
            t = _place("tempo", tempo)
            both = (ANY, ANY, m, t)
            found.append((scene_keyword(mood, tempo), both))
            for word, pace in product(words, paces):
                found += [
                    (f"{pace} {word} music", both),
                    (f"{word}, {pace}", both),
                    (f"{pace}, {word}", both),
                ]
    for tempo, paces in TEMPI.items():
        found += [(pace, (ANY, ANY, ANY, _place("tempo", tempo))) for pace in paces]
        found.append((f"{tempo} music", (ANY, ANY, ANY, _place("tempo", tempo))))
    return found


def joint_captions() -> list[Caption]:
    """All four, in the plain wording."""
    found: list[Caption] = []
    for (i, instrument), (g, genre), (m, mood), (t, tempo) in product(
        *(enumerate(VALUES[name]) for name in ("instrument", "genre", "mood", "tempo"))
    ):
        found.append((f"{instrument}, {genre}, {scene_keyword(mood, tempo)}", (i, g, m, t)))
        found.append((f"{scene_keyword(mood, tempo)}, {instrument}, {genre}", (i, g, m, t)))
    return found
