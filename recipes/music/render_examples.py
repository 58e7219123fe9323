"""Render the pieces under `examples`, which conformance shows to scorers of music.

`python -m recipes.music.render_examples`
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pmg_sdk.audio import Audio
from recipes.music.compose import Piece
from recipes.music.render import RATE, Renderer

__all__ = ["EXAMPLES", "main"]

EXAMPLES = (
    Piece("piano", "jazz", "calm", "slow", 1),
    Piece("harp", "waltz", "cheerful", "medium", 2),
    Piece("trumpet", "march", "heroic", "fast", 3),
    Piece("electric guitar", "rock", "tense", "fast", 4),
    Piece("violin", "classical", "sad", "slow", 5),
    Piece("sitar", "latin", "cheerful", "fast", 6),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=Path("build/music/FluidR3Mono_GM.sf3"))
    parser.add_argument("--out", type=Path, default=Path("recipes/music/examples"))
    options = parser.parse_args()
    render = Renderer(options.font)
    for piece in EXAMPLES:
        name = f"{piece.instrument}, {piece.genre}".replace(" ", "_")
        Audio.from_waveform(render(piece), RATE).save(options.out / f"{name}.flac")


if __name__ == "__main__":
    main()
