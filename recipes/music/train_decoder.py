"""Train the autoencoder's decoder further, alone, on the latents that the generator learnt.

They stay what they are, so the generator need not know.

`python -m recipes.music.train_decoder --corpus build/music/corpus --vae build/music/vae
--out build/music/decoder --minutes 20`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from recipes.loop import Fit, Run
from recipes.music.corpus import floats, load_corpus
from recipes.music.latents import load_latents
from recipes.music.mel import LogMel
from recipes.music.spectrogram_loss import spectrogram_loss
from recipes.music.train_autoencoder import REDUCTION, error_of

__all__ = ["main"]

UNSURE = 0.05
"""Noise on the latents, at unit variance: the generator's are not exact."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--vae", type=Path, default=Path("build/music/vae"))
    parser.add_argument("--out", type=Path, default=Path("build/music/decoder"))
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--frames", type=int, default=128, help="of a clip that a step looks at, at random")
    parser.add_argument("--rate", type=float, default=8e-4)
    options = parser.parse_args()
    torch.manual_seed(7)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    latents = load_latents(options.corpus, options.vae, device)
    clips, _ = load_corpus(options.corpus, "train")
    log_mel = LogMel().to(device)
    vae = AutoencoderKL.from_pretrained(options.vae).to(device).to(memory_format=torch.channels_last)
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    trained = [parameter for parameter in vae.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    run = Run(options.out, options.minutes)
    fit = Fit(vae, optimizer, run, rate=options.rate, decay=0.998)
    width = options.frames // REDUCTION
    total = torch.zeros((), device=device)
    for step in run.steps():
        rows = torch.randint(len(clips), (options.batch,))
        first = int(torch.randint(0, latents.shape[2] - width + 1, ()))
        z = latents[rows.to(device), :, first : first + width].float()
        z = (z + UNSURE * torch.randn_like(z)) / vae.config["scaling_factor"]
        with torch.no_grad():
            mel = log_mel(floats(clips[rows.numpy()], device))[:, None]
        mel = mel[:, :, first * REDUCTION : (first + width) * REDUCTION]
        with torch.autocast(device.type, torch.bfloat16):
            made = vae.decode(z.contiguous(memory_format=torch.channels_last)).sample
        fit.step(spectrogram_loss(made.float(), mel))
        total += (made.detach().float() - mel).abs().mean()
        if step % 200 == 199:
            run.log(error=float(total) / 200)
            total.zero_()
    fit.finish()
    vae.eval()
    vae.save_pretrained(options.out)
    measured = {"steps": run.step, "error": error_of(vae, options.corpus, device)}
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


if __name__ == "__main__":
    main()
