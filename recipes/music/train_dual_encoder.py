"""Train the small CLAP on renderings and captions.

`python -m recipes.music.train_dual_encoder --corpus build/music/corpus --text build/emoji/minilm
--out build/music/clap --minutes 4`

Contrastive, with every clip that a text is true of as a positive: "piano" is true of many.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import torch
from torch import Tensor
from transformers import ClapModel

from recipes.batch_norm import settle
from recipes.loop import Fit, Run
from recipes.music.caption_pool import CaptionPool
from recipes.music.captions import ANY, joint_captions, preference_captions, scene_captions
from recipes.music.corpus import floats, load_corpus
from recipes.music.dual_encoder import embed_texts, make_clap, project_texts, read_texts, text_ids
from recipes.music.mel import ClapFeatures
from recipes.music.pieces import ATTRIBUTES, VALUES
from recipes.music.recording import noise_floor, spoilt

__all__ = ["main"]

NEPER = math.log(10) / 10
"""Of a decibel: natural logarithm of a power."""


def contrast(audio: Tensor, text: Tensor, fits: Tensor, scale: Tensor) -> Tensor:
    """Mean over the positives of log P(clip | text) and of log P(text | clip).

    Args:
        audio, text: unit rows (B, width) and (T, width).
        fits: bool (B, T), whether a text is true of a clip.
    """
    logits = audio @ text.T * scale

    def side(values: Tensor, true: Tensor) -> Tensor:
        log_p = values.log_softmax(1)
        return -((log_p * true).sum(1) / true.sum(1).clamp_min(1)).mean()

    return side(logits, fits) + side(logits.T, fits.T)


def true_of(labels: Tensor, asked: Tensor) -> Tensor:
    """bool (B, T) of labels (B, 4) and captions' labels (T, 4)."""
    return ((asked[None] == ANY) | (asked[None] == labels[:, None])).all(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/music/clap"))
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--batch", type=int, default=768)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ear-of", type=Path, help="tune the audio tower of this model alone, on set scorer")
    options = parser.parse_args()
    torch.manual_seed(3)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clips, numbers = load_corpus(options.corpus, "scorer" if options.ear_of else "train")
    labels = torch.from_numpy(numbers).to(device)
    features = ClapFeatures().to(device)
    floor = noise_floor(features.bank, features.window)
    with torch.no_grad():
        decibels = torch.cat(
            [features(floats(clips[at : at + 256], device)).half() for at in range(0, len(clips), 256)]
        )
    if options.ear_of:
        # What was written down in its text space stays true.
        model = ClapModel.from_pretrained(options.ear_of).float()
        model.text_model.requires_grad_(False)
        model.text_projection.requires_grad_(False)
        model.train()
    else:
        model = make_clap(options.text)
    model = model.to(device)
    kinds = []
    for captions in (preference_captions(), scene_captions(), joint_captions()):
        ids = text_ids(options.text, [text for text, _ in captions]).to(device)
        kinds.append((CaptionPool(captions, device), read_texts(model, ids)))
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=options.rate, weight_decay=0.02
    )
    run = Run(options.out, options.minutes)
    fit = Fit(model, optimizer, run, rate=options.rate, decay=0.998)
    whole = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], device=device).bool()
    for step in run.steps():
        rows = torch.randint(len(clips), (options.batch,), device=device)
        clip_labels = labels[rows]
        heard = spoilt(decibels[rows, 0].float() * NEPER, floor)[:, None] / NEPER
        texts, asked = [], []
        for kind, (pool, hidden) in enumerate(kinds):
            share = slice(kind * options.batch // 4, (kind + 1) * options.batch // 4 + options.batch // 4)
            some = clip_labels[share]
            keep = whole[kind].expand(len(some), 4).clone()
            if kind < 2:  # a third of the partial captions say one thing only
                one = torch.rand(len(some), device=device)
                first, second = (0, 1) if kind == 0 else (2, 3)
                keep[:, second] &= one > 0.2
                keep[:, first] &= one < 0.87
            number = pool.drawn(some, keep)
            texts.append(hidden[number])
            asked.append(pool.asked[number])
        wanted = torch.cat(asked)
        with torch.autocast(device.type, torch.bfloat16):
            e_M = model.get_audio_features(heard).pooler_output
            e = project_texts(model, torch.cat(texts))
        scale = model.logit_scale_a.clamp(max=4.2).exp()
        loss = contrast(e_M.float(), e.float(), true_of(clip_labels, wanted).float(), scale)
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
    model: torch.nn.Module, features: ClapFeatures, corpus: Path, name: str, text: Path, device: torch.device
) -> dict[str, float]:
    """Zero-shot accuracy by attribute, each value's plain word against the others'."""
    clips, wanted = load_corpus(corpus, name)
    rows = [
        model.get_audio_features(  # type: ignore[operator]
            features(floats(clips[at : at + 128], device))
        ).pooler_output
        for at in range(0, len(clips), 128)
    ]
    e_M = torch.cat(rows)
    found = {}
    for k, attribute in enumerate(ATTRIBUTES):
        e = embed_texts(model, text_ids(text, list(VALUES[attribute])).to(device))  # type: ignore[arg-type]
        best = (e_M @ e.T).argmax(1).cpu().numpy()
        found[attribute] = round(float((best == wanted[:, k]).mean()), 4)
    return found


if __name__ == "__main__":
    main()
