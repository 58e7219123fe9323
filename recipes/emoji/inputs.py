"""Lay out the published models that training reads: MiniLM as the text encoder, VGG16 for the loss.

`python -m recipes.emoji.inputs --out build/emoji`

Both are fetched and checked by `pmg_sdk.assets`; here they become float16 and lose what training does
not use, so that they travel easily to the machine that trains.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from pmg_sdk.assets import fetch

__all__ = ["main", "text_encoder", "vgg_trunk"]

LAST_LAYER = 14  # relu3_3 of VGG16 follows it


def text_encoder(out: Path) -> None:
    """all-MiniLM-L6-v2 without its pooler."""
    folder = fetch("all-minilm-l6-v2")
    out.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.suffix in (".json", ".txt"):
            shutil.copy2(path, out / path.name)
    stored = load_file(folder / "model.safetensors")
    kept = {k: v.half() for k, v in stored.items() if "pooler" not in k and "position_ids" not in k}
    save_file(kept, out / "model.safetensors", metadata={"format": "pt"})


def vgg_trunk(out: Path) -> None:
    """The convolutions of VGG16's first three blocks."""
    stored: dict[str, torch.Tensor] = load_file(fetch("lpips-vgg16"))
    kept = {
        name: value.half()
        for name, value in stored.items()
        if name.startswith("features.") and int(name.split(".")[1]) <= LAST_LAYER
    }
    save_file(kept, out, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/emoji"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    text_encoder(options.out / "minilm")
    vgg_trunk(options.out / "vgg16-trunk.safetensors")


if __name__ == "__main__":
    main()
