"""Users x messages on one sheet: the winners that `recipes.emoji.selection` measured, none picked by hand.

`python -m recipes.emoji.gallery --out docs/images/users-x-messages.png`
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pmg_scenarios.emoticons.samples import sample_users
from recipes.emoji.selection import MESSAGES, NOBODY, picture_file

__all__ = ["draw", "main"]

SHOWN = (0, 2, 3, 4, 6, 7)
"""The messages shown, by their place in `MESSAGES`: six fit a page."""

_PICTURE, _GAP, _MARGIN = 128, 22, 20
_FONT, _LINE, _LETTERS = 15, 20, 18
_INK, _SOFT, _PAPER, _RULE = (32, 33, 36), (110, 113, 118), (255, 255, 255), (225, 227, 230)


def draw(folder: Path, users: Sequence[str], messages: Sequence[int]) -> Image.Image:
    """One row a user, one column a message; the first row is nobody's.

    Args:
        folder: where `recipes.emoji.selection` left its pictures.
        messages: places in `MESSAGES`.

    Raises:
        FileNotFoundError: a picture is missing; run `recipes.emoji.selection` first.
    """
    font = ImageFont.load_default(size=_FONT)
    headers = [textwrap.wrap(MESSAGES[number], _LETTERS) for number in messages]
    labels = {NOBODY: "nobody in particular", **{user: user.replace("-", " ") for user in users}}
    left = _MARGIN + round(max(font.getlength(label) for label in labels.values())) + _GAP
    top = _MARGIN + max(map(len, headers)) * _LINE + _GAP // 2
    step = _PICTURE + _GAP
    size = (left + len(headers) * step - _GAP + _MARGIN, top + len(labels) * step - _GAP + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, lines in enumerate(headers):
        for row, line in enumerate(lines):
            # Bottom-aligned: every message ends right above its pictures.
            y = top - _GAP // 2 - (len(lines) - row) * _LINE
            pen.text((left + column * step + _PICTURE / 2, y), line, fill=_INK, font=font, anchor="ma")
    for row, (user, label) in enumerate(labels.items()):
        y = top + row * step
        pen.text((_MARGIN, y + _PICTURE / 2), label, fill=_SOFT if row == 0 else _INK, font=font, anchor="lm")
        if row == 1:
            pen.line((_MARGIN, y - _GAP // 2, size[0] - _MARGIN, y - _GAP // 2), fill=_RULE, width=2)
        for column, number in enumerate(messages):
            with Image.open(picture_file(folder, user, number)) as picture:
                sheet.paste(picture.resize((_PICTURE, _PICTURE)), (left + column * step, y))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, default=Path("build/emoji/selection"))
    parser.add_argument("--out", type=Path, default=Path("docs/images/users-x-messages.png"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    draw(options.pictures, list(sample_users()), SHOWN).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
