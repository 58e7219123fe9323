"""Notes to sound, through a sound font."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from recipes.music.compose import BASS, CHORDS, DRUMS, LEAD, PROGRAMS, SECONDS, Piece, compose

__all__ = ["LENGTH", "RATE", "Renderer"]

RATE = 16_000
LENGTH = round(SECONDS * RATE)
LOUDNESS = 0.09  # root mean square of every clip, about -21 dBFS
PEAK = 0.9
_BASS_OF = {"jazz": 32, "rock": 33, "electronic": 38, "latin": 32, "march": 58, "waltz": 32}
_FADE = 480


class Renderer:
    """A synthesiser with one sound font; every process makes its own.

    Args:
        font: an SF2 or SF3 file of General MIDI instruments.
    """

    def __init__(self, font: Path) -> None:
        import tinysoundfont

        self.synth = tinysoundfont.Synth(gain=-12, samplerate=RATE)
        self.font = self.synth.sfload(os.fspath(font))

    def __call__(self, piece: Piece) -> np.ndarray:
        """float32 (LENGTH,), all clips equally loud."""
        synth = self.synth
        for channel in (LEAD, CHORDS, BASS, DRUMS):
            synth.sounds_off(channel)
        self._wait(64)  # what was cut off fades
        program, _ = PROGRAMS[piece.instrument]
        for channel in (LEAD, CHORDS):
            synth.program_select(channel, self.font, 0, program)
        synth.program_select(BASS, self.font, 0, _BASS_OF.get(piece.genre, 32))
        synth.program_select(DRUMS, self.font, 128, 0, True)
        events: list[tuple[int, int, int, int, int]] = []
        for note in compose(piece):
            start, end = round(note.start * RATE), round((note.start + max(note.length, 0.05)) * RATE)
            events.append((start, 1, note.channel, note.pitch, note.velocity))
            events.append((end, 0, note.channel, note.pitch, 0))
        parts, now = [], 0
        for at, on, channel, pitch, velocity in sorted(events):
            if at >= LENGTH:
                break
            if at > now:
                parts.append(self._wait(at - now))
                now = at
            if on:
                synth.noteon(channel, pitch, velocity)
            else:
                synth.noteoff(channel, pitch)
        parts.append(self._wait(LENGTH - now))
        return levelled(np.concatenate(parts))

    def _wait(self, samples: int) -> np.ndarray:
        stereo = np.frombuffer(bytes(self.synth.generate(samples)), dtype=np.float32)
        return stereo.reshape(-1, 2).mean(1)


def levelled(x: np.ndarray) -> np.ndarray:
    """Equally loud, and faded at its end."""
    x = x - x.mean()
    x = x * (LOUDNESS / max(float(np.sqrt(np.mean(x**2))), 1e-6))
    x = x * min(1.0, PEAK / max(float(np.abs(x).max()), 1e-6))
    x[-_FADE:] *= np.linspace(1, 0, _FADE)
    return x.astype(np.float32)
