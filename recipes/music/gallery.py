"""Renderings above, generated sounds of the same held-out prompts below: the first that were measured.

The generated ones are also written as they sound.

`python -m recipes.music.gallery --clips build/music/clips --out docs/images/music-spectrograms.png`
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pmg_sdk.audio import Audio
from recipes.music.compose import Piece
from recipes.music.evaluate import clip_file, test_pieces
from recipes.music.render import RATE, Renderer

__all__ = ["draw", "main"]

_PICTURE, _GAP, _LEFT, _TOP = 220, 12, 90, 52
_INK, _SOFT, _PAPER = (32, 33, 36), (110, 113, 118), (255, 255, 255)


def draw(pieces: Sequence[Piece], rows: Sequence[tuple[str, Sequence[Audio]]]) -> Image.Image:
    """One column a piece, one row a way of making it.

    Args:
        rows: a label, and a sound for every piece.
    """
    step = _PICTURE + _GAP
    font = ImageFont.load_default(size=14)
    sheet = Image.new("RGB", (_LEFT + len(pieces) * step, _TOP + len(rows) * step), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, piece in enumerate(pieces):
        lines = (f"{piece.instrument}, {piece.genre}", f"{piece.tempo} {piece.mood} music")
        for line, (text, colour) in enumerate(zip(lines, (_INK, _SOFT), strict=True)):
            pen.text((_LEFT + column * step, 10 + 19 * line), text, fill=colour, font=font)
    for row, (label, sounds) in enumerate(rows):
        pen.text((10, _TOP + row * step + _PICTURE // 2), label, fill=_INK, font=font, anchor="lm")
        for column, sound in enumerate(sounds):
            picture = Image.fromarray(sound.picture((_PICTURE, _PICTURE)).pixels)
            sheet.paste(picture, (_LEFT + column * step, _TOP + row * step))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, default=Path("build/music/clips"), help="what evaluate kept")
    parser.add_argument("--font", type=Path, default=Path("build/music/FluidR3Mono_GM.sf3"))
    parser.add_argument("--out", type=Path, default=Path("docs/images/music-spectrograms.png"))
    parser.add_argument("--sounds", type=Path, default=Path("docs/sounds"))
    parser.add_argument("--count", type=int, default=5)
    options = parser.parse_args()
    pieces = test_pieces(options.count)
    render = Renderer(options.font)
    rendered = [Audio.from_waveform(render(piece), RATE) for piece in pieces]
    made = [Audio.open(options.clips / clip_file(number, piece)) for number, piece in enumerate(pieces)]
    draw(pieces, [("rendered", rendered), ("generated", made)]).save(options.out, optimize=True)
    for number, (piece, sound) in enumerate(zip(pieces, made, strict=True)):
        sound.save(options.sounds / Path(clip_file(number, piece)).with_suffix(".flac"))


if __name__ == "__main__":
    main()
