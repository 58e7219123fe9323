"""The shape of the paper's table 2: what keywords and soft embeddings bring users who were never seen.

`python -m recipes.emoji.soft_evaluation --soft build/emoji/soft --out recipes/emoji/results`

Every test user's last item is asked for by its name under five conditions: with no preference, with keywords,
with soft embeddings, with both, and with both of another user. All conditions of a user start from the same
noises; the whole pipeline runs, choice by z included. Measured are LPIPS and SSIM to the pictures of the
history (mean over its items) and to the last item as the user chose it; neither has a part in making or
choosing. A user's values are means over the noises, intervals are from a paired bootstrap over users.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw

from pmg_sdk.candidates import measure
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.config import PMGConfig
from pmg_sdk.evaluation import LPIPS_SETTINGS, SSIM_SETTINGS, lpips, ssim
from pmg_sdk.keywords import Keywords
from pmg_sdk.media import Image, Media
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.plan import Plan, plan
from pmg_sdk.preference import UserPreference
from pmg_sdk.selection import Candidate, score, select
from pmg_sdk.target import Target
from recipes.bootstrap import interval
from recipes.emoji.soft_users import Shown, mismatched, pairs_with_history, read_shown

__all__ = ["CONDITIONS", "METRICS", "Evaluation", "difference", "main"]

CONDITIONS = ("none", "keywords", "soft", "both", "another user's")
METRICS = ("lpips_history", "lpips_target", "ssim_history", "ssim_target")
ROWS, NEWEST, CELL, GAP, HEAD = 12, 5, 112, 16, 30


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Makes and measures pictures of many users at once.

    Attributes:
        pipeline: of the scenario; its config's weights, alpha and steps count.
        users: whose last items are asked for.
        soft: E_m of each.
        weights, alpha: replace the config's, where given.
    """

    pipeline: PMGPipeline
    users: Sequence[Shown]
    soft: Sequence[Conditioning]
    weights: tuple[str, ...] | None = None
    alpha: float | None = None

    def pictures(self, condition: str, seed: int) -> list[Image]:
        """The chosen picture of every user."""
        roles, config = self.pipeline.roles, self._config(condition)
        plans = [self._plan(place, condition, seed, config) for place in range(len(self.users))]
        requests = [draft.request for each in plans for draft in each.drafts]
        media = iter(roles.generator.generate(requests))
        return [self._chosen(each, [next(media) for _ in each.drafts], config.alpha) for each in plans]

    def _config(self, condition: str) -> PMGConfig:
        given = {"weights": self.weights, "alpha": self.alpha}
        replaced = {name: value for name, value in given.items() if value is not None}
        return self.pipeline.config.replaced(**replaced, use_keywords=condition != "soft")

    def _plan(self, place: int, condition: str, seed: int, config: PMGConfig) -> Plan:
        whose = mismatched(self.users)[place] if condition == "another user's" else place
        liked, E_m = self.users[whose].preference, self.soft[whose]
        preference = {
            "none": UserPreference(Keywords()),
            "keywords": UserPreference(liked),
        }.get(condition, UserPreference(liked, soft=E_m))
        generator = self.pipeline.roles.generator
        return plan(
            preference,
            Target(self.users[place].asked),
            config=config,
            spec=generator.spec,
            encoder=self.pipeline.roles.encoder,
            seed=seed * 100_003 + place,
        )

    def _chosen(self, made: Plan, media: Sequence[Media], alpha: float) -> Image:
        if len(media) == 1:
            return media[0].picture()
        scores = measure(media, made.keywords, self.pipeline.roles.scorer)
        candidates = [
            Candidate(draft.weights, draft.request.seed, medium, d_p, d_t, score(d_p, d_t, alpha))
            for medium, draft, (d_p, d_t) in zip(media, made.drafts, scores, strict=True)
        ]
        return select(candidates, alpha).winner.media.picture()


def compare(pictures: Sequence[Image], users: Sequence[Shown]) -> dict[str, np.ndarray]:
    """LPIPS and SSIM of each user's picture to the history and to the last item."""
    mine, theirs, owner = pairs_with_history(pictures, users)
    last = [user.last.picture() for user in users]
    counts = np.bincount(owner, minlength=len(users))

    def over_history(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, weights=values, minlength=len(users)) / counts

    return {
        "lpips_history": over_history(lpips(mine, theirs, batch_size=256)),
        "lpips_target": lpips(pictures, last, batch_size=256).astype(float),
        "ssim_history": over_history(ssim(mine, theirs)),
        "ssim_target": ssim(pictures, last).astype(float),
    }


def difference(ours: np.ndarray, base: np.ndarray) -> dict[str, float]:
    """Mean of ours - base over users, absolutely and in per cent of base's mean, with 95 % intervals."""
    share = interval(ours, base, relative=True)
    return {
        **interval(ours, base),
        "percent": 100 * share["mean"],
        "percent_low": 100 * share["low"],
        "percent_high": 100 * share["high"],
    }


def summarise(values: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Any]:
    """The table, and the differences that answer its questions."""
    asked = (("both", "none"), ("both", "keywords"), ("both", "another user's"), ("keywords", "none"))
    asked += (("soft", "none"),)
    return {
        "table": {
            condition: {
                metric: {"mean": float(row[metric].mean()), "deviation": float(row[metric].std(ddof=1))}
                for metric in METRICS
            }
            for condition, row in values.items()
        },
        "differences": {
            f"{ours} - {base}": {m: difference(values[ours][m], values[base][m]) for m in METRICS}
            for ours, base in asked
            if ours in values and base in values
        },
    }


def sheet(users: Sequence[Shown], shown: Mapping[str, Sequence[Image]]) -> PIL.Image.Image:
    """A row a user: the newest of the history, the last item, then one picture a condition."""
    columns = NEWEST + 1 + len(shown)
    page = PIL.Image.new("RGB", (columns * CELL + 2 * GAP, len(users) * CELL + HEAD), "white")
    pen = PIL.ImageDraw.Draw(page)
    titles = ["history", *[""] * (NEWEST - 1), "asked for", *shown]
    for column, title in enumerate(titles):
        pen.text((_left(column) + 4, 6), title, fill="black", font_size=15)
    for row, user in enumerate(users):
        pictures = [*user.history[-NEWEST:], *[None] * (NEWEST - len(user.history)), user.last]
        pictures += [made[row] for made in shown.values()]
        for column, medium in enumerate(pictures):
            if medium is not None:
                small = medium.picture().to_pil().resize((CELL - 4, CELL - 4))
                page.paste(small, (_left(column) + 2, HEAD + row * CELL + 2))
    return page


def _left(column: int) -> int:
    return column * CELL + GAP * sum(column >= at for at in (NEWEST, NEWEST + 1))


def soft_of(users: Sequence[Shown], folder: str, batch_size: int = 32) -> list[Conditioning]:
    """E_m of every user with a checkpoint."""
    from pmg_transformers.soft_preference.encoder import TransformersSoftPreferenceEncoder

    encoder = TransformersSoftPreferenceEncoder(model=folder, batch_size=batch_size)
    return encoder.encode([user.prompt for user in users])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--soft", default="pmg:emoji-soft", help="checkpoint")
    parser.add_argument("--population", type=Path, default=Path("build/emoji/population"))
    parser.add_argument("--examples", type=Path, default=Path("build/emoji/examples"))
    parser.add_argument("--part", default="test")
    parser.add_argument("--users", type=int, help="the first so many; all by default")
    parser.add_argument("--noises", type=int, default=3, help="pictures of every user and condition")
    parser.add_argument(
        "--weights", nargs="+", help="pairs w_p:w_t or w_p:w_t:w_s; the scenario's by default"
    )
    parser.add_argument("--alpha", type=float, help="share of log d_p in z; the scenario's by default")
    parser.add_argument("--sheet", type=Path, help="PNG of the first users: history, last item, conditions")
    parser.add_argument("--out", type=Path, default=Path("recipes/emoji/results"))
    options = parser.parse_args()
    pipeline = PMGPipeline.from_scenario("emoticons")
    users = read_shown(options.population, options.examples, options.part, options.users)
    weights = tuple(options.weights) if options.weights else None
    evaluation = Evaluation(pipeline, users, soft_of(users, options.soft), weights, options.alpha)
    values: dict[str, dict[str, np.ndarray]] = {}
    shown: dict[str, list[Image]] = {}
    begun = time.monotonic()
    for condition in CONDITIONS:
        made = [evaluation.pictures(condition, seed) for seed in range(options.noises)]
        shown[condition] = made[0]
        runs = [compare(pictures, users) for pictures in made]
        values[condition] = {metric: np.mean([run[metric] for run in runs], axis=0) for metric in METRICS}
        row = " ".join(f"{metric}={values[condition][metric].mean():.4f}" for metric in METRICS)
        print(f"{condition:15} {row} ({time.monotonic() - begun:.0f} s)", flush=True)
    report = {
        "users": len(users),
        "part": options.part,
        "noises": options.noises,
        "weights": weights or pipeline.config.weights,
        "alpha": pipeline.config.alpha if options.alpha is None else options.alpha,
        "lpips": LPIPS_SETTINGS["alex"],
        "ssim": SSIM_SETTINGS,
        **summarise(values),
    }
    print(json.dumps(report["differences"], indent=1))
    if options.sheet:
        sheet(users[:ROWS], shown).save(options.sheet)
    each = {
        condition: {m: np.round(row[m], 5).tolist() for m in METRICS} for condition, row in values.items()
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**report, "each_user": each}, indent=1)
    (options.out / "soft.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
