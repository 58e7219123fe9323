"""Pieces of four seconds: notes out of an instrument, a genre, a mood, a tempo and a seed.

A genre decides the beat, the drums, the bass and how chords are broken; a mood decides the scale, the
chords, the register, how loud and how long notes are, and the shape of the melody. The preferred
instrument plays melody and chords, so it is what one hears first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "BASS",
    "BPM",
    "CHORDS",
    "DRUMS",
    "KICK",
    "LEAD",
    "PROGRAMS",
    "SECONDS",
    "Note",
    "Piece",
    "compose",
]

SECONDS = 4.096

PROGRAMS: dict[str, tuple[int, int]] = {
    "piano": (0, 0),
    "harpsichord": (6, 0),
    "music box": (10, 12),
    "vibraphone": (11, 0),
    "marimba": (12, 0),
    "church organ": (19, 0),
    "accordion": (21, 0),
    "acoustic guitar": (24, -5),
    "electric guitar": (29, -5),
    "harp": (46, 0),
    "violin": (40, 5),
    "cello": (42, -12),
    "choir": (52, 0),
    "trumpet": (56, 0),
    "saxophone": (65, -3),
    "clarinet": (71, 0),
    "flute": (73, 9),
    "chiptune synth": (80, 5),
    "sitar": (104, -3),
    "steel drum": (114, 3),
}
"""General MIDI program, and semitones between middle C and where the instrument sounds like itself."""

BPM: dict[str, tuple[float, float]] = {"slow": (56, 72), "medium": (96, 112), "fast": (152, 176)}

DRUMS = 9
"""The MIDI channel of drums; the lead plays on 0, its chords on 1, the bass on 2."""

LEAD, CHORDS, BASS = 0, 1, 2
KICK, RIM, SNARE, CLOSED, OPEN, RIDE, SHAKER, CRASH, TIMPANI_LIKE = 36, 37, 38, 42, 46, 51, 70, 49, 41


@dataclass(frozen=True)
class Piece:
    """What is asked for."""

    instrument: str
    genre: str
    mood: str
    tempo: str
    seed: int


@dataclass(frozen=True, order=True)
class Note:
    """One note: start and length in seconds, MIDI channel, pitch and velocity 1 to 127."""

    start: float
    length: float
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class _Feeling:
    """scale: steps above the tonic; chords: roots as scale degrees, one a bar; register: semitones."""

    scale: tuple[int, ...]
    chords: tuple[tuple[int, ...], ...]
    register: int
    loudness: int
    legato: float
    contour: str


_FEELINGS = {
    "cheerful": _Feeling(
        (0, 2, 4, 5, 7, 9, 11), ((0, 3, 4, 0), (0, 4, 0, 4), (0, 3, 0, 4)), 7, 92, 0.5, "hop"
    ),
    "sad": _Feeling((0, 2, 3, 5, 7, 8, 10), ((0, 3, 0, 4), (0, 5, 3, 0), (0, 6, 5, 4)), -5, 70, 1.05, "fall"),
    "calm": _Feeling((0, 2, 4, 6, 7, 9, 11), ((0, 1, 0, 1), (0, 4, 0, 4)), 2, 52, 1.3, "float"),
    "tense": _Feeling((0, 1, 3, 5, 6, 8, 11), ((0, 1, 0, 4), (0, 4, 1, 0)), -9, 104, 0.4, "ostinato"),
    "heroic": _Feeling((0, 2, 4, 5, 7, 9, 10), ((0, 6, 3, 0), (0, 3, 4, 0)), 0, 120, 0.85, "fanfare"),
}


def compose(piece: Piece) -> list[Note]:
    """The notes of a piece, by start; the same piece gives the same notes."""
    return _Writer(piece).notes()


class _Writer:
    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.rng = np.random.default_rng(piece.seed)
        self.feeling = _FEELINGS[piece.mood]
        low, high = BPM[piece.tempo]
        self.beat = 60.0 / self.rng.uniform(low, high)
        self.bar = 3 if piece.genre == "waltz" else 4
        self.tonic = int(self.rng.integers(-4, 5))
        _, home = PROGRAMS[piece.instrument]
        self.centre = 60 + home + self.feeling.register // (2 if home in (12, -12) else 1)
        self.roots = self.feeling.chords[self.rng.integers(len(self.feeling.chords))]
        self.swing = 2 / 3 if piece.genre == "jazz" else 0.5
        self.beats = int(np.ceil(SECONDS / self.beat))
        self.found: list[Note] = []

    def notes(self) -> list[Note]:
        for beat in range(self.beats):
            root = self.roots[(beat // self.bar) % len(self.roots)]
            # Slow music would hold one chord for all of the clip.
            if self.piece.tempo == "slow":
                root = self.roots[(beat * 2 // self.bar) % len(self.roots)]
            self._drums(beat)
            self._bass(beat, root)
            self._chord(beat, root)
        self._melody()
        return sorted(note for note in self.found if note.start < SECONDS)

    def _at(self, beat: float) -> float:
        """Seconds of a beat; eighths swing in jazz."""
        whole, part = divmod(beat, 1)
        if abs(part - 0.5) < 1e-6:
            part = self.swing
        return float((whole + part) * self.beat)

    def _add(self, beat: float, beats: float, channel: int, pitch: float, velocity: float) -> None:
        start = self._at(beat) + abs(self.rng.normal(0, 0.004))
        loud = int(np.clip(velocity * self.rng.uniform(0.92, 1.06), 1, 127))
        self.found.append(Note(float(start), beats * self.beat, channel, int(np.clip(pitch, 21, 108)), loud))

    def _pitch(self, degree: int, base: int) -> int:
        """MIDI pitch of a degree of the scale above `base`, which is brought to the tonic."""
        octave, step = divmod(degree, 7)
        tonic = base + (self.tonic - base) % 12
        tonic -= 12 if tonic - base > 6 else 0
        return tonic + 12 * octave + self.feeling.scale[step]

    def _triad(self, root: int, base: int) -> list[int]:
        degrees = [root, root + 2, root + 4]
        if self.piece.genre == "jazz":
            degrees.append(root + 6)
        if self.piece.mood == "heroic" and self.piece.genre == "rock":
            degrees = [root, root + 4, root + 7]
        pitches = [self._pitch(degree, base) for degree in degrees]
        # Close position around the base, whatever the root.
        return sorted(pitch - 12 if pitch > base + 9 else pitch for pitch in pitches)

    def _melody(self) -> None:
        shape, loud, legato = self.feeling.contour, self.feeling.loudness, self.feeling.legato
        rhythm = {
            "hop": ((0.5, 0.5, 1), (1, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5), (0.75, 0.25, 1)),
            "fall": ((1, 1), (1.5, 0.5), (2,)),
            "float": ((2,), (1, 1), (1.5, 0.5)),
            "ostinato": ((0.25,) * 4 + (0.5, 0.5), (0.5, 0.25, 0.25, 0.5, 0.5), (0.25,) * 8),
            "fanfare": ((0.75, 0.25, 1), (1, 1), (0.5, 0.5, 1), (1.5, 0.5)),
        }[shape]
        motif = rhythm[self.rng.integers(len(rhythm))]
        beat, degree, index = 0.0, int(self.rng.choice((0, 2, 4, 7))), 0
        if shape == "fall":
            degree = int(self.rng.choice((4, 7, 9)))
        while beat < self.beats:
            if index and index % len(motif) == 0 and self.rng.random() < 0.4:
                motif = rhythm[self.rng.integers(len(rhythm))]
            length = motif[index % len(motif)]
            root = self.roots[int(beat // self.bar) % len(self.roots)]
            accent = 1.08 if beat % self.bar == 0 else 1.0
            pitch = self._pitch(degree, self.centre)
            self._add(beat, length * legato, LEAD, pitch, loud * accent)
            if shape == "fanfare" and self.rng.random() < 0.35:
                self._add(beat, length * legato, LEAD, pitch - 12, loud * 0.8)
            degree = self._next(degree, root, shape)
            beat, index = beat + length, index + 1

    def _next(self, degree: int, root: int, shape: str) -> int:
        rng = self.rng
        if shape == "hop":
            step = int(rng.choice((-2, -1, 1, 2, 3, -3, 4)))
        elif shape == "fall":
            step = int(rng.choice((-1, -1, -1, -2, 1, 2)))
            if degree < -1:
                step = 5
        elif shape == "float":
            step = int(rng.choice((-2, 2, 1, -1, 4, -4)))
        elif shape == "ostinato":
            step = int(rng.choice((0, 0, 1, -1, 4, -4)))
        else:
            step = int(rng.choice((2, 2, -2, 4, -3, 1)))
        wanted = degree + step
        if not -4 <= wanted <= 9:
            wanted = root + int(rng.choice((0, 2, 4)))
        return wanted

    def _chord(self, beat: int, root: int) -> None:
        genre, place = self.piece.genre, beat % self.bar
        base = self.centre - 10
        chord = self._triad(root, base)
        loud, legato = self.feeling.loudness * 0.62, self.feeling.legato
        if self.piece.mood == "tense" and genre not in ("rock", "electronic"):
            for part in (0.0, 0.25, 0.5, 0.75):
                self._add(beat + part, 0.22, CHORDS, chord[int(part * 4) % 2], loud * 0.9)
        elif genre == "classical":
            order = (0, 2, 1, 2) if self.piece.mood in ("cheerful", "heroic") else (0, 1, 2, 1)
            for k in range(2):
                self._add(
                    beat + k / 2, 0.5 * max(legato, 0.7), CHORDS, chord[order[(2 * beat + k) % 4]], loud
                )
        elif genre == "jazz":
            if place in (1, 3) or self.rng.random() < 0.25:
                offset = 0.5 if self.rng.random() < 0.4 else 0.0
                for pitch in chord:
                    self._add(beat + offset, 0.4 * max(legato, 0.6), CHORDS, pitch, loud * 0.9)
        elif genre == "rock":
            for k in range(2):
                for pitch in (chord[0], chord[0] + 7 if self.piece.mood != "tense" else chord[0] + 6):
                    self._add(beat + k / 2, 0.45 * max(legato, 0.7), CHORDS, pitch - 5, loud)
        elif genre == "waltz":
            if place > 0:
                for pitch in chord:
                    self._add(beat, 0.5 * max(legato, 0.7), CHORDS, pitch, loud)
        elif genre == "electronic":
            for k in range(4):
                self._add(beat + k / 4, 0.2, CHORDS, chord[(4 * beat + k) % len(chord)] + 12 * (k % 2), loud)
        elif genre == "latin":
            for offset in (0.0, 0.5) if place in (0, 2) else (0.5,):
                for pitch in chord:
                    self._add(beat + offset, 0.35 * max(legato, 0.7), CHORDS, pitch, loud * 0.85)
        elif place in (1, 3):  # march: the off-beats of "oom-pah"
            for pitch in chord:
                self._add(beat, 0.35, CHORDS, pitch, loud)

    def _bass(self, beat: int, root: int) -> None:
        genre, place = self.piece.genre, beat % self.bar
        if genre == "classical":
            return
        low = self._pitch(root, 38)
        loud = 50 + self.feeling.loudness * 0.3
        if genre == "jazz":
            walk = (0, 2, 4, 2)[place % 4]
            self._add(beat, 0.9, BASS, self._pitch(root + walk, 38), loud)
        elif genre == "rock":
            for k in range(2):
                self._add(beat + k / 2, 0.45, BASS, low, loud)
        elif genre == "electronic":
            self._add(beat + 0.5, 0.4, BASS, low, loud)
        elif genre == "latin":
            self._add(beat, 0.7, BASS, low if place % 2 == 0 else low + 7, loud)
            if place % 2 == 0:
                self._add(beat + 0.75, 0.2, BASS, low + 7, loud * 0.8)
        elif place == 0 or (genre == "march" and place == 2):
            self._add(beat, 0.6, BASS, low if place == 0 else low - 5, loud)

    def _drums(self, beat: int) -> None:
        genre, place = self.piece.genre, beat % self.bar
        loud = {"calm": 38, "sad": 52}.get(self.piece.mood, 84)

        def hit(offset: float, drum: int, share: float = 1.0) -> None:
            self._add(beat + offset, 0.1, DRUMS, drum, loud * share)

        if genre == "jazz":
            hit(0, RIDE)
            if place in (1, 3):
                hit(0.5, RIDE, 0.7)
                hit(0, CLOSED, 0.6)
        elif genre == "rock":
            hit(0, KICK if place in (0, 2) else SNARE)
            hit(0, CLOSED, 0.7)
            hit(0.5, CLOSED, 0.6)
            if beat == 0 and self.piece.mood == "heroic":
                hit(0, CRASH, 0.8)
        elif genre == "waltz":
            hit(0, KICK if place == 0 else CLOSED, 0.7)
        elif genre == "electronic":
            hit(0, KICK, 1.1)
            hit(0.5, OPEN, 0.6)
            if place in (1, 3):
                hit(0, SNARE + 1, 0.7)
        elif genre == "latin":
            for k in range(4):
                hit(k / 4, SHAKER, 0.5 if k % 2 else 0.7)
            hit(0 if place != 1 else 0.5, RIM, 0.9)
        elif genre == "march":
            hit(0, KICK if place in (0, 2) else SNARE, 0.9)
            for k in (0.25, 0.5, 0.75) if place == 3 else (0.5,):
                hit(k, SNARE, 0.6)
