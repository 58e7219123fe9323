"""Measure personalisation: every listener x scene with their own taste, with none, and with another's.

`python -m recipes.music.selection --out recipes/music/results`

The pipeline makes its candidates and chooses by z, as an application would have it; the judge, which had
no part in that, says what the winners are. Tastes and scenes are given as keywords, so that no language
model's mistakes are in the figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pmg_scenarios.background_music.scenes import SCENES
from pmg_scenarios.background_music.vocabulary import GENRES, INSTRUMENTS
from pmg_sdk.audio import Audio
from pmg_sdk.keywords import Keyword, Keywords
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.preference import UserPreference
from pmg_sdk.target import Target
from recipes.bootstrap import interval
from recipes.music.evaluate import waveforms
from recipes.music.pieces import VALUES
from recipes.music.recogniser import Judge

__all__ = ["Taste", "main", "tastes"]

SIDES = ("own", "none", "another")


@dataclass(frozen=True)
class Taste:
    """What one listener likes."""

    instrument: str
    genre: str

    @property
    def preference(self) -> UserPreference:
        """As the pipeline takes it."""
        liked = (Keyword(self.instrument, "instrument"), Keyword(self.genre, "genre"))
        return UserPreference(Keywords(liked))


def tastes(count: int, seed: int = 0) -> list[Taste]:
    """Listeners whose instruments and genres are spread evenly; each differs from the next in both."""
    rng = np.random.default_rng(seed)
    instruments, genres = list(INSTRUMENTS), list(GENRES)
    order = rng.permutation(len(instruments))
    shift = int(rng.integers(len(genres)))
    return [
        Taste(instruments[order[k % len(order)]], genres[(k + shift + k // len(order)) % len(genres)])
        for k in range(count)
    ]


def heard(judge: Judge, sounds: Sequence[Audio], taste: Taste, scene: str) -> np.ndarray:
    """Of every sound whether instrument, genre, mood and tempo are the ones wanted, (n, 4)."""
    tempo, mood, _ = scene.split()
    wanted = [
        VALUES[name].index(value)
        for name, value in zip(VALUES, (taste.instrument, taste.genre, mood, tempo), strict=True)
    ]
    best, _ = judge.hear(waveforms(sounds))
    return best == np.array(wanted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, default=Path("recipes/music/judge/recogniser.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("recipes/music/results"))
    parser.add_argument("--listeners", type=int, default=20)
    parser.add_argument("--scenes", type=int, default=2, help="for every listener")
    parser.add_argument("--model", default="", help="folder of the generator, instead of the profile's")
    parser.add_argument("--scorer", default="", help="folder of the scorer, likewise")
    options = parser.parse_args()
    fields = {}
    if options.model:
        fields["generator"] = {"adapter": "audioldm", "options": {"model": options.model}}
    if options.scorer:
        fields["scorer"] = {"adapter": "clap", "options": {"model": options.scorer}}
    pipeline = PMGPipeline.from_scenario("background_music", **fields)
    judge = Judge(options.judge)
    users, scenes = tastes(options.listeners), list(SCENES)
    rows: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
    candidates: dict[str, list[np.ndarray]] = {}
    for number, taste in enumerate(users):
        another = users[(number + 1) % len(users)]
        found: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
        for k in range(options.scenes):
            scene = scenes[(number + k * 2) % len(scenes)]
            target = Target(Keywords((Keyword(scene, "scene"),)))
            nobody = UserPreference(Keywords())
            for side, preference in zip(SIDES, (taste.preference, nobody, another.preference), strict=True):
                made = pipeline.candidates(preference, target, seed=number * 100 + k)
                winner = pipeline.select(made).winner.media
                assert isinstance(winner, Audio)
                found[side].append(heard(judge, [winner], taste, scene)[0])
                if side == "own":
                    for candidate in made:
                        right = heard(judge, [candidate.media], taste, scene)[0]  # type: ignore[list-item]
                        candidates.setdefault(str(candidate.weights), []).append(right)
        for side in SIDES:
            rows[side].append(np.mean(found[side], 0))
        print(f"{number + 1} of {len(users)}", {side: rows[side][-1].tolist() for side in SIDES}, flush=True)
    table = {side: np.array(values) for side, values in rows.items()}
    names = list(VALUES)
    report = {
        "listeners": len(users),
        "scenes_each": options.scenes,
        "right": {
            side: dict(zip(names, values.mean(0).round(4).tolist(), strict=True))
            for side, values in table.items()
        },
        "difference": {
            f"own - {side}": {
                name: interval(table["own"][:, k], table[side][:, k]) for k, name in enumerate(names)
            }
            for side in SIDES[1:]
        },
        "without_choosing": {
            weights: dict(zip(names, np.mean(values, 0).round(4).tolist(), strict=True))
            for weights, values in candidates.items()
        },
    }
    print(json.dumps(report, indent=2))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "selection.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
