"""All candidates on one picture, each with its weights and scores, the winner marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.media import Image
from pmg_sdk.selection import Candidate, Selection

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["contact_sheet", "label"]

_PICTURE = 192
_MARGIN = 10
_LINE = 18
_FONT = 14
_COLUMNS = 6
_INK, _PAPER, _MARK = (32, 33, 36), (255, 255, 255), (26, 115, 232)


def contact_sheet(selection: Selection) -> Image:
    """Candidates in their order, at most 6 a row, labelled w_p:w_t or w_p:w_t:w_s, d_p, d_t and z.

    Returns:
        An RGB image; every picture is fitted into 192 x 192 pixels.
    """
    import PIL.Image
    from PIL import ImageDraw, ImageFont

    count = len(selection.candidates)
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    width, height = _PICTURE + 2 * _MARGIN, _PICTURE + 2 * _MARGIN + 3 * _LINE + 4
    sheet = PIL.Image.new("RGB", (columns * width, rows * height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=_FONT)
    for index, candidate in enumerate(selection.candidates):
        left, top = index % columns * width, index // columns * height
        wins = candidate is selection.winner
        if wins:
            box = (left + 2, top + 2, left + width - 3, top + height - 3)
            draw.rounded_rectangle(box, radius=8, outline=_MARK, width=3)
        picture = _fitted(candidate)
        inset_x, inset_y = (_PICTURE - picture.width) // 2, (_PICTURE - picture.height) // 2
        sheet.paste(picture, (left + _MARGIN + inset_x, top + _MARGIN + inset_y))
        for row, line in enumerate(label(candidate, wins=wins)):
            place = (left + _MARGIN, top + _PICTURE + _MARGIN + 4 + row * _LINE)
            draw.text(place, line, fill=_MARK if wins else _INK, font=font)
    return Image(np.asarray(sheet, dtype=np.uint8))


def label(candidate: Candidate, *, wins: bool = False) -> tuple[str, ...]:
    """The lines under a candidate's picture."""
    d_p = "none" if candidate.preference_score is None else f"{candidate.preference_score:.3f}"
    return (
        f"{candidate.weights.form}  {candidate.weights}",
        f"d_p  {d_p}   d_t  {candidate.accuracy_score:.3f}",
        f"z  {candidate.z:.3f}" + ("  winner" if wins else ""),
    )


def _fitted(candidate: Candidate) -> PIL.Image.Image:
    import PIL.Image

    picture = candidate.media.picture().to_pil()
    scale = _PICTURE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, PIL.Image.Resampling.BICUBIC)
