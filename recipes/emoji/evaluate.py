"""Measure the shipped generator with the judge, and the autoencoder against the art.

`python -m recipes.emoji.evaluate --data build/emoji --out recipes/emoji/results`

Nothing here had a part in training or selecting: the judge saw drawn pictures only, and none of the
combinations it is asked about.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pmg_sdk.conditioning import join
from pmg_sdk.evaluation.lpips import lpips
from pmg_sdk.interfaces import GenerationRequest, Generator
from pmg_sdk.media import Image, as_pixels
from recipes.emoji.library import Library, load_library
from recipes.emoji.pictures import Pictures
from recipes.emoji.recogniser import Recogniser, load_recogniser
from recipes.emoji.sample import sheet
from recipes.emoji.scenes import KINDS, arrange, held_out_rows
from recipes.emoji.train_autoencoder import held_out_names, originals
from recipes.emoji.vocabulary import (
    COLOURS,
    EXPRESSIONS,
    HELD_OUT_COLOURS,
    HELD_OUT_EXPRESSIONS,
    HELD_OUT_PAIRS,
    STYLE_PHRASES,
    STYLES,
)

__all__ = ["Task", "main"]

NAMES = 240


@dataclass(frozen=True)
class Task:
    """One picture to make and what the judge must see in it.

    Attributes:
        kind: "name", "expression", "colour" or "pair".
        parts: the two text parts.
        style: index of the style asked for.
        names: icon names that must all be in the judge's top 5.
        expression, colour: the label that must come first; 0 asks nothing.
    """

    kind: str
    parts: tuple[str, str]
    style: int
    names: tuple[int, ...]
    expression: int = 0
    colour: int = 0


def tasks(library: Library) -> list[Task]:
    """Names x styles, and every held-out combination x styles."""
    number = {name: i for i, name in enumerate(library.names)}
    chosen = np.linspace(0, len(library.names) - 1, NAMES).astype(int)
    made: list[Task] = []
    for style, phrase in enumerate(STYLE_PHRASES.values()):
        made += [Task("name", (f"{library.names[n]}, {phrase}", ""), style, (int(n),)) for n in chosen]
        for animal, word in HELD_OUT_EXPRESSIONS:
            felt = list(EXPRESSIONS).index(word) + 1
            text = (f"{animal}, {phrase}", word)
            made.append(Task("expression", text, style, (library.animals[animal],), expression=felt))
        for name, colour in HELD_OUT_COLOURS:
            if STYLES[style] == "outline":
                continue  # black lines have no colour
            label = list(COLOURS).index(colour) + 1
            thing = next((name.removeprefix(f"{c} ") for c in COLOURS if name.startswith(f"{c} ")), name)
            made.append(Task("colour", (f"{colour} {thing}, {phrase}", ""), style, (number[name],), 0, label))
        for one, other in HELD_OUT_PAIRS:
            made.append(Task("pair", (f"{one}, {phrase}", other), style, (number[one], number[other])))
    return made


def make(generator: Generator, asked: Sequence[Task], batch: int) -> Tensor:
    """The generator's pictures for all tasks, float (n, 3, h, w) in [-1, 1]."""
    encoder = generator.text_encoder
    assert encoder is not None
    texts = sorted({part for task in asked for part in task.parts if part})
    known = dict(zip(texts, encoder.encode(texts), strict=True))
    pictures: list[Tensor] = []
    for at in range(0, len(asked), batch):
        requests = [
            GenerationRequest(
                conditioning=join([(known[part], 1.0) for part in task.parts if part]), seed=1000 + at + i
            )
            for i, task in enumerate(asked[at : at + batch])
        ]
        pictures += [_tensor(medium) for medium in generator.generate(requests)]
        print(f"{len(pictures)}/{len(asked)} pictures", flush=True)
    return torch.stack(pictures)


def _tensor(medium: object) -> Tensor:
    assert isinstance(medium, Image)
    return torch.from_numpy(medium.pixels.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1


@torch.inference_mode()
def judge(recogniser: Recogniser, pictures: Tensor, asked: Sequence[Task]) -> dict[str, dict[str, float]]:
    """For each kind of task: how many pictures, style right, names in the top 5, everything right."""
    answers: dict[str, list[Tensor]] = {}
    for part in pictures.split(128):
        for head, logits in recogniser(part).items():
            answers.setdefault(head, []).append(logits)
    seen = {head: torch.cat(parts) for head, parts in answers.items()}
    names = seen["name"].topk(5).indices.numpy()
    first = {head: seen[head].argmax(1).numpy() for head in ("style", "expression", "colour")}
    report: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(task.kind for task in asked):
        rows = [i for i, task in enumerate(asked) if task.kind == kind]
        named = np.array([all(name in names[i] for name in asked[i].names) for i in rows])
        felt = np.array([asked[i].expression in (0, first["expression"][i]) for i in rows])
        hued = np.array([asked[i].colour in (0, first["colour"][i]) for i in rows])
        styled = np.array([first["style"][i] == asked[i].style for i in rows])
        report[kind] = {
            "pictures": len(rows),
            "style": float(styled.mean()),
            "names_top5": float(named.mean()),
            "expression": float(felt.mean()),
            "colour": float(hued.mean()),
            "all_parts": float((named & felt & hued).mean()),
        }
    combined = [report[kind] for kind in report if kind != "name"]
    if combined:
        total = sum(row["pictures"] for row in combined)
        report["combinations"] = {
            "pictures": total,
            "all_parts": sum(row["all_parts"] * row["pictures"] for row in combined) / total,
        }
    return report


def drawn(library: Library, pictures: Pictures, asked: Sequence[Task]) -> tuple[Tensor, list[Task]]:
    """The tasks drawn from the art instead of generated, to see how good the judge itself is.

    Those for which the art lacks a piece in the style asked for are left out.
    """
    held = np.flatnonzero(held_out_rows(library))
    worn = {(library.name[row], library.expression[row], library.style[row]): row for row in held}
    plain = {(library.name[row], library.style[row]): row for row in range(library.originals)}
    rows: list[tuple[int, int, int]] = []
    kept: list[Task] = []
    for task in asked:
        if task.kind == "expression":
            icons = [worn.get((task.names[0], task.expression, task.style), -1)]
        else:
            icons = [plain.get((name, task.style), -1) for name in task.names]
        if min(icons) >= 0:
            rows.append((icons[0], icons[1] if len(icons) > 1 else -1, task.colour))
            kept.append(task)
    first, second, paint = np.array(rows).T
    scenes = dataclasses.replace(
        originals(first),
        kind=np.where(second >= 0, list(KINDS).index("pair"), 0).astype(np.int8),
        second=second.astype(np.int32),
        paint=paint.astype(np.int16),
    )
    arrange(scenes, np.random.default_rng(0))
    return torch.cat([pictures.draw(scenes[at : at + 128]) for at in range(0, len(scenes), 128)]), kept


@torch.inference_mode()
def measure_autoencoder(library: Library, pictures: Pictures, folder: Path) -> dict[str, float]:
    """Mean absolute error (of 255) and LPIPS-Alex on icons of names it never saw."""
    from diffusers import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32).eval()
    unseen = np.isin(library.name[: library.originals], held_out_names(library))
    errors, distances = [], []
    for part in np.array_split(np.flatnonzero(unseen), max(1, unseen.sum() // 32)):
        picture = pictures.draw(originals(part))
        again = vae.decode(vae.encode(picture).latent_dist.mean).sample.clamp(-1, 1)
        before, after = (
            [Image(as_pixels((p.permute(1, 2, 0).numpy() + 1) / 2)) for p in side]
            for side in (picture, again)
        )
        errors += [
            np.abs(a.pixels.astype(float) - b.pixels).mean() for a, b in zip(before, after, strict=True)
        ]
        distances.append(lpips(after, before))
    return {
        "icons": int(unseen.sum()),
        "error_255": float(np.mean(errors)),
        "lpips_alex": float(np.concatenate(distances).mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--model", default="pmg:emoji-diffusion")
    parser.add_argument("--vae", type=Path, default=Path("models/pmg_models/emoji-diffusion/vae"))
    parser.add_argument("--judge", type=Path, default=Path("recipes/emoji/judge/recogniser.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("recipes/emoji/results"))
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--every", type=int, default=1, help="take every n-th task only, for a quick look")
    options = parser.parse_args()
    from pmg_stable_diffusion import StableDiffusionGenerator

    library = load_library(options.data)
    pictures = Pictures(library, torch.device("cpu"))
    recogniser = load_recogniser(options.judge)
    asked = tasks(library)[:: options.every]
    report: dict[str, object] = {"every_nth_task": options.every}
    report["autoencoder"] = measure_autoencoder(library, pictures, options.vae)
    print(report, flush=True)
    real, kept = drawn(library, pictures, asked)
    report["judge_on_drawn"] = judge(recogniser, real, kept)
    made = make(StableDiffusionGenerator(model=options.model), asked, options.batch)
    report["generator"] = judge(recogniser, made, asked)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n")
    combined = torch.tensor([i for i, task in enumerate(asked) if task.kind != "name"])
    sheet(made[combined], 24).save(options.out / "combinations.png")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
