"""Train the joint space of the small CLAP by its words, before anything is heard.

`python -m recipes.music.train_text_space --text build/emoji/minilm --out build/music/clap --minutes 2`

The generator is conditioned on these vectors and cannot tell apart what they do not. An audio tower learns
slowly, and while it confuses two instruments there is no reason for their names to part; so the words learn
first, against a listener who hears everything, and the tower learns afterwards to hear what they say
(`recipes.music.train_ear`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import ClapModel

from recipes.loop import Fit, Run
from recipes.music.contrast import Captions, contrast, true_of
from recipes.music.dual_encoder import WIDTH, embed_texts, make_clap, project_texts, text_ids
from recipes.music.pieces import VALUES, labels, sampled

__all__ = ["IdealListener", "confusable", "main"]

UNSURE = 0.15
"""Noise on what MiniLM says, beside its deviation: words that were not trained on must find a place too."""


class IdealListener(nn.Module):
    """Unit vectors (n, WIDTH) of clips with labels (n, 4): a part for every attribute, added up."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList(nn.Embedding(len(values), WIDTH) for values in VALUES.values())

    def forward(self, labels: Tensor) -> Tensor:
        return F.normalize(sum(part(labels[:, k]) for k, part in enumerate(self.parts)), dim=1)


@torch.no_grad()
def confusable(model: ClapModel, minilm: Path, count: int = 3) -> dict[str, list[tuple[str, str, float]]]:
    """By attribute the pairs of values whose words are closest, with their cosines."""
    found = {}
    for attribute, values in VALUES.items():
        e = embed_texts(model, text_ids(minilm, list(values)).to(model.device))
        cosines = (e @ e.T).cpu().triu(1)
        first, second = torch.where(torch.ones_like(cosines).triu(1) > 0)
        order = cosines[first, second].argsort(descending=True)[:count].tolist()
        found[attribute] = [
            (values[first[k]], values[second[k]], round(float(cosines[first[k], second[k]]), 3))
            for k in order
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/music/clap"))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--batch", type=int, default=768)
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    torch.manual_seed(3)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, listener = make_clap(options.text).to(device), IdealListener().to(device)
    # The combinations that the generator knows; what an attribute's words mean needs no others.
    clip_labels = torch.from_numpy(labels(sampled(20_000, seed=6, unseen=False))).to(device)
    captions = Captions(model, options.text, device)
    spread = UNSURE * captions.hidden.std(0)
    scale = model.logit_scale_a
    taught = nn.ModuleList(
        [model.text_model.pooler, model.text_projection, listener, nn.ParameterList([scale])]
    )
    optimizer = torch.optim.AdamW(taught.parameters(), lr=options.rate, weight_decay=0.05)
    run = Run(options.out, options.minutes)
    fit = Fit(taught, optimizer, run, rate=options.rate, decay=0.998)
    for step in run.steps():
        wanted = clip_labels[torch.randint(len(clip_labels), (options.batch,), device=device)]
        number, asked = captions.drawn(wanted)
        hidden = captions.hidden[number]
        e = project_texts(model, hidden + spread * torch.randn_like(hidden))
        loss = contrast(listener(wanted), e, true_of(wanted, asked).float(), scale)
        fit.step(loss)
        if step % 100 == 0:
            run.log(loss=float(loss), scale=float(scale))
    fit.finish()
    model.eval()
    model.save_pretrained(options.out)
    measured = {"steps": run.step, "closest": confusable(model, options.text)}
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(json.dumps(measured, indent=1), flush=True)


if __name__ == "__main__":
    main()
