"""Measure what choosing by z is worth, on every sample user x message.

`python -m recipes.emoji.selection --out recipes/emoji/results`

Each pair is answered by the whole pipeline from several noises, each beside one unpersonalised candidate
(w_p:w_t = 0:1) from the same noise: one picture says little about the mean of those it could have been.
Scores d_p and d_t come from the scorer that also chose; the judge had no part in it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pmg_scenarios.emoticons.samples import sample_messages, sample_users
from pmg_sdk.candidates import measure
from pmg_sdk.keywords import Keywords
from pmg_sdk.media import Media
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.plan import KeywordParts
from pmg_sdk.preference import UserPreference
from pmg_sdk.selection import Candidate
from pmg_sdk.target import Target
from recipes.bootstrap import interval
from recipes.emoji.recogniser import Recogniser, load_recogniser
from recipes.emoji.vocabulary import EXPRESSIONS, STYLE_PHRASES

__all__ = ["MESSAGES", "NOBODY", "Judge", "Seen", "main", "picture_file"]

MESSAGES = (*sample_messages(), "Nobody came to my birthday and I feel so lonely")
"""Nine messages, each of another feeling: with six users, 54 pairs."""

NOBODY = "nobody"
"""The row of unpersonalised pictures."""

_NAMES_SEEN = 5


@dataclass(frozen=True)
class Seen:
    """What the judge finds: the user's subject (in its first 5 names), their style, the asked expression."""

    subject: bool
    style: bool
    expression: bool


@dataclass(frozen=True)
class Shown:
    """One picture's numbers."""

    d_p: float
    d_t: float
    seen: Seen


class Judge:
    """Asks the recogniser for what was wanted.

    Args:
        weights: of the recogniser.
        art: the zip file of the drawn icons; their names are what it can answer.
    """

    def __init__(self, weights: Path, art: Path) -> None:
        self._recogniser: Recogniser = load_recogniser(weights)
        with zipfile.ZipFile(art) as archive:
            self._names = sorted({icon["name"] for icon in json.loads(archive.read("index.json"))})

    @torch.inference_mode()
    def see(self, medium: Media, liked: Keywords, wanted: Keywords) -> Seen:
        """Whether the picture shows k^p's subject and style and k^t's first expression."""
        pixels = torch.from_numpy(medium.picture().pixels.astype(np.float32))
        answer = self._recogniser((pixels / 127.5 - 1).permute(2, 0, 1)[None])
        best = answer["name"][0].topk(_NAMES_SEEN).indices.tolist()
        subjects = {name for word in _of(liked, "subject") for name in (word, f"{word} face")}
        style = list(STYLE_PHRASES.values())[int(answer["style"].argmax())]
        felt = ("none", *EXPRESSIONS)[int(answer["expression"].argmax())]
        return Seen(
            subject=any(self._names[index] in subjects for index in best),
            style=style in _of(liked, "style"),
            expression=felt == wanted.texts[0],
        )


def _of(keywords: Keywords, attribute: str) -> list[str]:
    return [keyword.text for keyword in keywords.items if keyword.attribute == attribute]


def picture_file(folder: Path, user: str, message: int) -> Path:
    """Where the winner of a user and a message lies; `NOBODY` is the unpersonalised one."""
    return folder / f"{user}-{message}.png"


def answer_all(
    pipeline: PMGPipeline,
    judge: Judge,
    users: Mapping[str, UserPreference],
    pictures: Path,
    numbers: Sequence[int] = range(len(MESSAGES)),
    noises: Sequence[int] = (0,),
) -> Iterator[dict[str, Any]]:
    """A record for every pair and noise; in one noise all users of a message start from the same.

    The pictures of the first of `noises` are kept.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    for noise, number in itertools.product(noises, numbers):
        message, seed = MESSAGES[number], number + noise * len(MESSAGES)
        target = pipeline.target(message)
        (plain,) = pipeline.candidates(UserPreference(Keywords()), target, seed=seed)
        if noise == noises[0]:
            plain.media.save(picture_file(pictures, NOBODY, number))
        for user, preference in users.items():
            made = pipeline.candidates(preference, target, seed=seed)
            winner = pipeline.select(made).winner
            if noise == noises[0]:
                winner.media.save(picture_file(pictures, user, number))
            yield {
                "user": user,
                "message": message,
                "seed": seed,
                "k_p": preference.keywords.texts,
                "k_t": target.keywords.texts,
                "candidates": [_numbers(candidate) for candidate in made],
                "winner": str(winner.weights),
                "personalised": asdict(_shown(winner.media, pipeline, judge, preference, target)),
                "unpersonalised": asdict(_shown(plain.media, pipeline, judge, preference, target)),
            }


def _numbers(candidate: Candidate) -> dict[str, object]:
    return {
        "weights": str(candidate.weights),
        "d_p": candidate.preference_score,
        "d_t": candidate.accuracy_score,
        "z": candidate.z,
    }


def _shown(
    medium: Media, pipeline: PMGPipeline, judge: Judge, preference: UserPreference, target: Target
) -> Shown:
    parts = KeywordParts(preference.keywords, target.keywords)
    ((d_p, d_t),) = measure([medium], parts, pipeline.roles.scorer)
    assert d_p is not None  # every sample user has keywords
    return Shown(d_p, d_t, judge.see(medium, preference.keywords, target.keywords))


def summarise(records: Sequence[Mapping[str, Any]], grid: Sequence[str]) -> dict[str, Any]:
    """Means of both sides, differences with paired bootstrap 95 % intervals, and what was required."""
    won = Counter(str(record["winner"]) for record in records)
    sides = {side: _table(records, side) for side in ("personalised", "unpersonalised")}
    ours, plain = sides["personalised"], sides["unpersonalised"]
    differences = {key: interval(ours[key], plain[key]) for key in ours}
    differences["d_t_relative"] = interval(ours["d_t"], plain["d_t"], relative=True)
    return {
        "pairs": len(ours["d_p"]),
        "answers": len(records),
        "wins_by_weights": {weights: won[weights] for weights in grid},
        "without_choosing": {weights: _always(records, weights) for weights in grid},
        **{side: {key: float(row.mean()) for key, row in table.items()} for side, table in sides.items()},
        "difference": differences,
        "required": {
            "winner_not_always_first": won[grid[0]] < len(records),
            "winner_not_always_last": won[grid[-1]] < len(records),
            "d_p_above_unpersonalised": differences["d_p"]["low"] > 0,
            "d_t_loses_at_most_5_percent": differences["d_t_relative"]["mean"] >= -0.05,
        },
    }


def _always(records: Sequence[Mapping[str, Any]], weights: str) -> dict[str, float]:
    """Mean d_p, d_t and z if this one weight pair were always taken."""
    taken = [made for record in records for made in record["candidates"] if made["weights"] == weights]
    return {key: float(np.mean([made[key] for made in taken])) for key in ("d_p", "d_t", "z")}


def _table(records: Sequence[Mapping[str, Any]], side: str) -> dict[str, np.ndarray]:
    """One value for every pair: the mean over its noises."""
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        flat = {**record[side], **record[side]["seen"]}
        pairs.setdefault((record["user"], record["message"]), []).append(flat)
    keys = ("d_p", "d_t", "subject", "style", "expression")
    return {key: np.array([np.mean([row[key] for row in rows]) for rows in pairs.values()]) for key in keys}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--judge", type=Path, default=Path("recipes/emoji/judge/recogniser.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("recipes/emoji/results"))
    parser.add_argument("--noises", type=int, default=3, help="answers to every pair")
    parser.add_argument(
        "--after", type=int, default=3, help="noises left out: alpha was chosen on the first three"
    )
    parser.add_argument("--soft", action="store_true", help="with soft embeddings beside the keywords")
    options = parser.parse_args()
    pipeline = PMGPipeline.from_scenario("emoticons", use_soft=options.soft)
    judge = Judge(options.judge, options.data / "art.zip")
    users = {user: pipeline.preference(behavior) for user, behavior in sample_users().items()}
    records = []
    noises = range(options.after, options.after + options.noises)
    for record in answer_all(pipeline, judge, users, options.data / "selection", noises=noises):
        records.append(record)
        print(record["user"], record["k_t"], record["winner"], flush=True)
    spec = pipeline.roles.generator.spec
    report = {
        "settings": {
            "weights": pipeline.config.weights,
            "alpha": pipeline.config.alpha,
            "weighting": pipeline.config.weighting,
            "seeds_per_pair": pipeline.config.seeds_per_pair,
            "steps": pipeline.config.steps or spec.steps,
            "guidance": pipeline.config.guidance or spec.guidance,
        },
        **summarise(records, pipeline.config.weights),
    }
    print(json.dumps(report, indent=2))
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**report, "records": records}, indent=1)
    (options.out / "selection.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
