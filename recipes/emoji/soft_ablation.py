"""The shape of the paper's table 3: how many multimodal tokens, with and without P-Tuning v2.

`python -m recipes.emoji.soft_ablation --out recipes/emoji/results`

Every cell is trained from nothing with the same recipe and budget, once a seed, and measured on test users:
LPIPS to the pictures of the history, smaller is better, keywords and soft embeddings together at
w_p:w_t = 1:1, so that no choice hides a difference. L = 0 is keywords alone. Cells that are measured already
are left alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["TOKENS", "main", "summarise"]

TOKENS = (0, 1, 2, 4, 8, 16)
PREFIXES = (0, 8)


def train_and_measure(cells: Sequence[tuple[int, int, int]], options: argparse.Namespace) -> None:
    """Train each (L, S, seed) and write its values beside its checkpoint; L = 0 is only measured."""
    from pmg_sdk.pipeline import PMGPipeline
    from pmg_sdk.training import ExampleFolder
    from pmg_transformers.soft_preference.recipe import Recipe
    from pmg_transformers.soft_preference.trainer import Trainer
    from recipes.emoji.soft_evaluation import METRICS, Evaluation, soft_of
    from recipes.emoji.soft_users import read_shown

    pipeline = PMGPipeline.from_scenario("emoticons", generator=options.generator)
    users = read_shown(options.population, options.examples, most=options.users)
    for L, S, seed in cells:
        run = options.runs / f"L{L}-S{S}-seed{seed}"
        if (run / "measured.json").exists():
            continue
        values: dict[str, Any] = {}
        if L:
            recipe = Recipe(
                tokens=L,
                prefix=S,
                seed=seed,
                steps=options.steps,
                batch=options.batch,
                draws=options.draws,
                validate_every=max(options.steps // 4, 1),
            )
            trainer = Trainer(
                ExampleFolder(options.examples),
                run,
                llm="pmg:smollm2-135m-instruct",
                generator=pipeline.roles.generator,
                recipe=recipe,
            )
            outcome = trainer.run()
            values |= {"loss": outcome.loss, "keywords_alone": outcome.keywords_alone}
            evaluation = Evaluation(pipeline, users, soft_of(users, str(run)), ("1:1",))
            del trainer
        else:
            evaluation = Evaluation(pipeline, users, [None] * len(users), ("1:1",))
        condition = "both" if L else "keywords"
        found = [evaluation.values(condition, noise) for noise in range(options.noises)]
        values |= {metric: float(np.mean([each[metric] for each in found])) for metric in METRICS}
        run.mkdir(parents=True, exist_ok=True)
        (run / "measured.json").write_text(json.dumps({"L": L, "S": S, "seed": seed, **values}) + "\n")
        print(run.name, values, flush=True)


def summarise(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and deviation over seeds of every cell."""
    rows = []
    cells = sorted({(each["S"], each["L"]) for each in measured})
    for S, L in cells:
        of_cell = [each for each in measured if (each["S"], each["L"]) == (S, L)]
        row: dict[str, Any] = {"L": L, "S": S, "seeds": len(of_cell)}
        for key in ("lpips_history", "lpips_target", "ssim_history", "ssim_target", "loss"):
            found = [each[key] for each in of_cell if key in each]
            if found:
                deviation = float(np.std(found, ddof=1)) if len(found) > 1 else 0.0
                row[key] = {"mean": float(np.mean(found)), "deviation": deviation}
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--population", type=Path, default=Path("build/emoji/population"))
    parser.add_argument("--examples", type=Path, default=Path("build/emoji/examples"))
    parser.add_argument("--runs", type=Path, default=Path("build/emoji/soft-ablation"))
    parser.add_argument("--tokens", type=int, nargs="+", default=TOKENS, help="L")
    parser.add_argument("--prefixes", type=int, nargs="+", default=PREFIXES, help="S")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--noises", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the cells")
    parser.add_argument("--dtype", default="auto", help="of the generator; bfloat16 on a GPU")
    parser.add_argument("--out", type=Path, default=Path("recipes/emoji/results"))
    options = parser.parse_args()
    options.generator = {
        "adapter": "stable-diffusion",
        "options": {"model": "pmg:emoji-diffusion", "dtype": options.dtype},
    }
    seeds = range(options.seeds)
    cells = [
        (L, S, seed)
        for seed, L, S in itertools.product(seeds, options.tokens, options.prefixes)
        if L or (S, seed) == (options.prefixes[0], 0)  # keywords alone: nothing is trained, one cell is all
    ]
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=train_and_measure, args=(cells[job :: options.jobs], options))
        for job in range(options.jobs)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    measured = [json.loads(path.read_text()) for path in sorted(options.runs.glob("*/measured.json"))]
    settings = ("steps", "batch", "draws", "users", "noises")
    report = {**{name: getattr(options, name) for name in settings}, "cells": summarise(measured)}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "soft_ablation.json").write_text(json.dumps(report, indent=1) + "\n")
    for row in report["cells"]:
        print(row["L"], row["S"], row["lpips_history"], flush=True)


if __name__ == "__main__":
    main()
