"""The words of the scenario: what can be preferred, and what a scene can need.

The embedded generator was trained on captions of these words; another generator may know many more.
"""

from __future__ import annotations

__all__ = ["GENRES", "INSTRUMENTS", "MOODS", "TEMPI", "scene_keyword"]

INSTRUMENTS: dict[str, tuple[str, ...]] = {
    "piano": ("piano", "grand piano", "piano keys", "pianist"),
    "harpsichord": ("harpsichord", "cembalo"),
    "music box": ("music box", "musical box"),
    "vibraphone": ("vibraphone", "vibes"),
    "marimba": ("marimba", "xylophone"),
    "church organ": ("church organ", "pipe organ", "organ"),
    "accordion": ("accordion", "squeezebox"),
    "acoustic guitar": ("acoustic guitar", "classical guitar", "nylon guitar"),
    "electric guitar": ("electric guitar", "distorted guitar", "overdriven guitar"),
    "harp": ("harp", "harpist"),
    "violin": ("violin", "fiddle", "violinist"),
    "cello": ("cello", "cellist"),
    "choir": ("choir", "singing voices", "chorus"),
    "trumpet": ("trumpet", "trumpeter"),
    "saxophone": ("saxophone", "sax", "saxophonist"),
    "clarinet": ("clarinet", "clarinetist"),
    "flute": ("flute", "flutist"),
    "chiptune synth": ("chiptune synth", "8-bit synth", "chiptune", "8-bit sounds"),
    "sitar": ("sitar",),
    "steel drum": ("steel drum", "steel pan", "steelpan"),
}
"""Instruments, each with the words it is recognised by."""

GENRES: dict[str, tuple[str, ...]] = {
    "classical": ("classical", "classical music", "baroque"),
    "jazz": ("jazz", "swing", "jazzy"),
    "rock": ("rock", "rock music", "rock and roll"),
    "waltz": ("waltz", "three-four time", "ballroom"),
    "electronic": ("electronic", "techno", "electronic dance music", "house music"),
    "latin": ("latin", "bossa nova", "samba", "salsa"),
    "march": ("march", "marching band", "military march"),
}
"""Genres, likewise."""

MOODS: dict[str, tuple[str, ...]] = {
    "cheerful": ("cheerful", "happy", "joyful", "playful"),
    "sad": ("sad", "melancholic", "sorrowful", "mournful"),
    "calm": ("calm", "peaceful", "relaxing", "gentle"),
    "tense": ("tense", "suspenseful", "dark", "menacing"),
    "heroic": ("heroic", "epic", "triumphant", "brave"),
}
"""Moods, likewise."""

TEMPI: dict[str, tuple[str, ...]] = {
    "slow": ("slow", "slow tempo"),
    "medium": ("medium", "medium tempo", "moderate tempo"),
    "fast": ("fast", "fast tempo", "quick"),
}
"""Tempo classes, likewise: 56 to 72, 96 to 112 and 152 to 176 beats a minute in the training data."""


def scene_keyword(mood: str, tempo: str) -> str:
    """What a scene's music is called: "fast tense music"."""
    return f"{tempo} {mood} music"
