"""Train the audio tower of the small CLAP to hear what is said of a clip, in a text space that stays.

`python -m recipes.music.train_ear --corpus build/music/corpus --clap build/music/clap
--text build/emoji/minilm --out build/music/ear --minutes 6`
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import ClapModel

from recipes.batch_norm import settle
from recipes.loop import Fit, Run, wait_for
from recipes.music.contrast import Captions, contrast, true_of
from recipes.music.corpus import floats, load_corpus
from recipes.music.dual_encoder import embed_texts, project_texts, text_ids
from recipes.music.mel import ClapFeatures
from recipes.music.pieces import ATTRIBUTES, VALUES
from recipes.music.recording import noise_floor, spoilt

__all__ = ["main"]

NEPER = math.log(10) / 10
"""Of a decibel: natural logarithm of a power."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--clap", type=Path, default=Path("build/music/clap"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/music/ear"))
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--batch", type=int, default=768)
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args()
    torch.manual_seed(3)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clips, numbers = load_corpus(options.corpus, "scorer")
    labels = torch.from_numpy(numbers).to(device)
    features = ClapFeatures().to(device)
    floor = noise_floor(features.bank, features.window)
    with torch.no_grad():
        decibels = torch.cat(
            [features(floats(clips[at : at + 256], device)).half() for at in range(0, len(clips), 256)]
        )
    wait_for(options.clap / "measured.json")
    model = ClapModel.from_pretrained(options.clap).float().to(device)
    model.requires_grad_(False)
    scale = model.logit_scale_a
    tower = nn.ModuleList([model.audio_model, model.audio_projection, nn.ParameterList([scale])])
    tower.requires_grad_(True)
    tower.train()
    captions = Captions(model, options.text, device)
    with torch.no_grad():
        e_all = torch.cat([project_texts(model, part) for part in captions.hidden.split(1024)])
    optimizer = torch.optim.AdamW(tower.parameters(), lr=options.rate, weight_decay=0.02)
    run = Run(options.out, options.minutes)
    fit = Fit(tower, optimizer, run, rate=options.rate, decay=0.998)
    for step in run.steps():
        rows = torch.randint(len(clips), (options.batch,), device=device)
        heard = spoilt(decibels[rows, 0].float() * NEPER, floor)[:, None] / NEPER
        number, asked = captions.drawn(labels[rows])
        with torch.autocast(device.type, torch.bfloat16):
            e_M = model.get_audio_features(heard).pooler_output
        fits = true_of(labels[rows], asked).float()
        loss = contrast(e_M.float(), e_all[number], fits, scale)
        fit.step(loss)
        if step % 100 == 0:
            run.log(loss=float(loss), scale=float(scale))
    fit.finish()

    def spectrograms() -> Tensor:
        rows = torch.randint(len(clips), (options.batch // 4,), device=device)
        return decibels[rows].float().transpose(1, 3)

    settle(model.audio_model.audio_encoder.batch_norm, spectrograms, 20)
    model.eval()
    model.save_pretrained(options.out)
    measured: dict[str, object] = {"steps": run.step}
    for name in ("seen", "unseen"):
        measured[name] = _measure(model, features, options.corpus, name, options.text, device)
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


@torch.no_grad()
def _measure(
    model: ClapModel, features: ClapFeatures, corpus: Path, name: str, text: Path, device: torch.device
) -> dict[str, float]:
    """Zero-shot accuracy by attribute, each value's plain word against the others'."""
    clips, wanted = load_corpus(corpus, name)
    rows = [
        model.get_audio_features(features(floats(clips[at : at + 128], device))).pooler_output
        for at in range(0, len(clips), 128)
    ]
    e_M = torch.cat(rows)
    found = {}
    for k, attribute in enumerate(ATTRIBUTES):
        e = embed_texts(model, text_ids(text, list(VALUES[attribute])).to(device))
        best = (e_M @ e.T).argmax(1).cpu().numpy()
        found[attribute] = round(float((best == wanted[:, k]).mean()), 4)
    return found


if __name__ == "__main__":
    main()
