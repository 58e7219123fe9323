"""A tiny training problem: two kinds of users, whose prompts tell which of two latents they chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pmg_sdk.keywords import Keyword, Keywords
from pmg_sdk.training import ExampleFolder, TrainingExample

__all__ = ["example_folder", "examples"]

TASTES = ("cat", "robot")


def examples(part: str, count: int, *, shape: Sequence[int] = (4, 8, 8)) -> list[TrainingExample]:
    """Users who take turns in liking cats and robots; latents of unit variance, one a taste."""
    latents = [np.random.default_rng(taste).standard_normal(shape).astype(np.float32) for taste in range(2)]
    return [
        TrainingExample(
            id=f"user {number}",
            prompt=f"The user likes: {TASTES[number % 2]} number {number} of {part}",
            preference=Keywords((Keyword(f"{TASTES[number % 2]} face", "subject"),)),
            target=Keywords((Keyword("happy", "expression"),)),
            latent=latents[number % 2],
        )
        for number in range(count)
    ]


def example_folder(
    path: Path, space: str, *, train: int = 8, validation: int = 4, shape: Sequence[int] = (4, 8, 8)
) -> ExampleFolder:
    """Both parts, as `pmg prepare` would have written them."""
    folder = ExampleFolder(path)
    folder.begin({"scenario": "reference", "space": space, "modality": "image", "models": {}})
    for part, count in (("train", train), ("validation", validation)):
        folder.write(part, 0, examples(part, count, shape=shape), users=count)
    return folder
