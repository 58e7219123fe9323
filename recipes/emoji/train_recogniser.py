"""Train the judge on drawn pictures only; its own test is on icons and combinations it never saw.

`python -m recipes.emoji.train_recogniser --data build/emoji --out build/emoji/recogniser --minutes 5`

One (name, style) pair in twenty is left out of its training, and every held-out combination.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from recipes.batch_norm import settle
from recipes.emoji.library import Library, load_library
from recipes.emoji.pictures import Pictures
from recipes.emoji.recogniser import Recogniser
from recipes.emoji.scenes import Scenes, draw_scenes
from recipes.emoji.train_autoencoder import originals
from recipes.emoji.train_dual_encoder import augmented
from recipes.loop import Fit, Run

__all__ = ["main", "unseen_icons"]


def unseen_icons(library: Library) -> np.ndarray:
    """Rows of the originals the judge never trains on: one style of every fourth name."""
    return np.array(
        [
            row
            for row in range(library.originals)
            if library.name[row] % 4 == 0 and library.style[row] == (library.name[row] // 4) % 5
        ]
    )


def wanted_names(library: Library, scenes: Scenes) -> tuple[np.ndarray, np.ndarray]:
    """Name of the first and of the second icon (the first's again where there is one)."""
    one = library.name[scenes.first]
    two = np.where(scenes.second >= 0, library.name[scenes.second], one)
    return one.astype(np.int64), two.astype(np.int64)


def loss_of(answer: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
    """Cross-entropies; a picture of two icons wants both names, half each."""
    names = answer["name"].float().log_softmax(1)
    both = -(names.gather(1, labels["one"][:, None]) + names.gather(1, labels["two"][:, None])).mean() / 2
    rest = sum(
        F.cross_entropy(answer[head].float(), labels[head]) for head in ("style", "expression", "colour")
    )
    return both + 0.5 * rest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/recogniser"))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args()
    torch.manual_seed(5)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    library = load_library(options.data)
    pictures = Pictures(library, device)
    unseen = np.zeros(len(library.name), bool)
    unseen[unseen_icons(library)] = True
    scenes = draw_scenes(library, 400_000 if device.type == "cuda" else 4_000, seed=23)
    scenes = scenes[~(unseen[scenes.first] | ((scenes.second >= 0) & unseen[scenes.second]))]
    one, two = wanted_names(library, scenes)
    second = np.maximum(scenes.second, 0)
    expression = np.maximum(
        library.expression[scenes.first], np.where(scenes.second >= 0, library.expression[second], 0)
    )
    colour = np.where(scenes.paint > 0, scenes.paint, library.colour[scenes.first])
    colour = np.where(scenes.second >= 0, 0, colour)
    columns = {
        "one": one,
        "two": two,
        "style": library.style[scenes.first],
        "expression": expression,
        "colour": colour,
    }
    labels = {key: torch.from_numpy(value.astype(np.int64)).to(device) for key, value in columns.items()}

    model = Recogniser(len(library.names)).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.05)
    run = Run(options.out, options.minutes)
    fit = Fit(model, optimizer, run, rate=options.rate, decay=0.998)
    rng = np.random.default_rng(29 + run.step)
    for step in run.steps():
        rows = rng.integers(0, len(scenes), options.batch)
        picture = augmented(pictures.draw(scenes[rows])).to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            answer = model(picture)
        at = torch.from_numpy(rows).to(device)
        loss = loss_of(answer, {key: value[at] for key, value in labels.items()})
        fit.step(loss)
        if step % 200 == 0:
            run.log(loss=float(loss))
    fit.finish()
    settle(model, lambda: augmented(pictures.draw(scenes[rng.integers(0, len(scenes), 256)])), 60)
    tensors = {key: value.detach().half().contiguous().cpu() for key, value in model.state_dict().items()}
    save_file(tensors, options.out / "recogniser.safetensors", metadata={"format": "pt"})
    measured = {"steps": run.step, **_measure(model.eval(), pictures, library)}
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


@torch.no_grad()
def _measure(model: Recogniser, pictures: Pictures, library: Library) -> dict[str, float]:
    rows = unseen_icons(library)
    answers = [model(pictures.draw(originals(rows[at : at + 256]))) for at in range(0, len(rows), 256)]
    names = torch.cat([answer["name"] for answer in answers]).topk(5).indices.cpu().numpy()
    styles = torch.cat([answer["style"] for answer in answers]).argmax(1).cpu().numpy()
    right = (names == library.name[rows][:, None]).any(1)
    return {
        "unseen_icons": len(rows),
        "name_top5": float(right.mean()),
        "style": float((styles == library.style[rows]).mean()),
    }


if __name__ == "__main__":
    main()
