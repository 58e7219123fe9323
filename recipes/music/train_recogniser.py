"""Train the judge on its own renderings; its test is on combinations it never heard.

`python -m recipes.music.train_recogniser --corpus build/music/corpus --minutes 3`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from recipes.batch_norm import settle
from recipes.loop import Fit, Run
from recipes.music.corpus import floats, load_corpus
from recipes.music.pieces import ATTRIBUTES
from recipes.music.recogniser import Judge, Recogniser
from recipes.music.recording import noise_floor, spoilt

__all__ = ["main"]


def masked(spectrogram: Tensor) -> Tensor:
    """With a band of frequencies and a stretch of time blurred out, each in half of the clips."""
    count, _, frames, bins = spectrogram.shape
    x = spectrogram.clone()
    place = torch.rand(count, 2, device=x.device)
    band = torch.arange(bins, device=x.device)[None]
    low = (place[:, :1] * 2 * (bins - 12)).long()
    x = torch.where(((band >= low) & (band < low + 10))[:, None, None], 0.0, x)
    time = torch.arange(frames, device=x.device)[None]
    begin = (place[:, 1:] * 2 * (frames - 30)).long()
    return torch.where(((time >= begin) & (time < begin + 24))[:, None, :, None], 0.0, x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--out", type=Path, default=Path("build/music/recogniser"))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args()
    torch.manual_seed(5)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clips, labels = load_corpus(options.corpus, "judge")
    wanted = torch.from_numpy(labels).to(device)
    model = Recogniser().to(device).to(memory_format=torch.channels_last)
    floor = noise_floor(model.bank, model.window)
    with torch.no_grad():
        log_mels = torch.cat(
            [model.log_mel(floats(clips[at : at + 256], device)).half() for at in range(0, len(clips), 256)]
        )
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.05)
    run = Run(options.out, options.minutes)
    fit = Fit(model, optimizer, run, rate=options.rate, decay=0.998)

    @torch.no_grad()
    def heard(rows: Tensor) -> Tensor:
        spectrogram = masked(model.normalised(spoilt(log_mels[rows].float(), floor)))
        return spectrogram.contiguous(memory_format=torch.channels_last)

    def some() -> Tensor:
        return torch.randint(len(clips), (options.batch,), device=device)

    for step in run.steps():
        rows = some()
        spectrogram = heard(rows)
        with torch.autocast(device.type, torch.bfloat16):
            answer = model(spectrogram)
        target = wanted[rows]
        loss = sum(
            F.cross_entropy(answer[name].float(), target[:, k], label_smoothing=0.05)
            for k, name in enumerate(ATTRIBUTES)
        )
        fit.step(loss)
        if step % 100 == 0:
            run.log(loss=float(loss))
    fit.finish()
    settle(model, lambda: heard(some()), 40)
    tensors = {key: value.detach().half().contiguous().cpu() for key, value in model.state_dict().items()}
    save_file(tensors, options.out / "recogniser.safetensors", metadata={"format": "pt"})
    judge = Judge(options.out / "recogniser.safetensors", device)
    measured: dict[str, object] = {"steps": run.step}
    for name in ("seen", "unseen"):
        clips, labels = load_corpus(options.corpus, name)
        measured[name] = judge.accuracy(floats(clips), labels)
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


if __name__ == "__main__":
    main()
