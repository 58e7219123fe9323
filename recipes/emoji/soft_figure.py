"""The paper's figure 8: the same keywords with and without soft embeddings, over several noises.

`python -m recipes.emoji.soft_figure --out docs/images/soft-tokens.png`

The first test users, none picked by hand: their newest items and what was asked for, then one row of pictures
with keywords alone and one with soft embeddings beside them, from the same noises, at w_p:w_t = 1:1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import PIL.Image
import PIL.ImageDraw

from pmg_sdk.pipeline import PMGPipeline
from recipes.emoji.soft_evaluation import Evaluation, soft_of
from recipes.emoji.soft_users import read_shown

__all__ = ["main"]

CELL, NEWEST, HEAD = 112, 3, 26


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--soft", default="pmg:emoji-soft", help="checkpoint")
    parser.add_argument("--population", type=Path, default=Path("build/emoji/population"))
    parser.add_argument("--examples", type=Path, default=Path("build/emoji/examples"))
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--noises", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("docs/images/soft-tokens.png"))
    options = parser.parse_args()
    users = read_shown(options.population, options.examples, most=options.users)
    pipeline = PMGPipeline.from_scenario("emoticons")
    evaluation = Evaluation(pipeline, users, soft_of(users, options.soft), ("1:1",))
    rows = {
        condition: [evaluation.pictures(condition, noise) for noise in range(options.noises)]
        for condition in ("keywords", "both")
    }
    left, height = (NEWEST + 1) * CELL, 2 * CELL + HEAD
    page = PIL.Image.new("RGB", (left + options.noises * CELL, len(users) * height), "white")
    pen = PIL.ImageDraw.Draw(page)
    for place, user in enumerate(users):
        top = place * height
        asked = f"{user.preference.text}  |  asked for: {user.asked.text}"
        pen.text((6, top + 5), asked, fill="black", font_size=15)
        for column, medium in enumerate([*user.history[-NEWEST:], user.last]):
            _paste(page, medium.picture().to_pil(), column * CELL, top + HEAD + CELL // 2)
        for row, made in enumerate(rows.values()):
            for column, pictures in enumerate(made):
                picture = pictures[place].to_pil()
                _paste(page, picture, left + column * CELL, top + HEAD + row * CELL)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    page.save(options.out)
    print(options.out)


def _paste(page: PIL.Image.Image, picture: PIL.Image.Image, x: int, y: int) -> None:
    page.paste(picture.resize((CELL - 4, CELL - 4)), (x + 2, y + 2))


if __name__ == "__main__":
    main()
