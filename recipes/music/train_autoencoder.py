"""Train the autoencoder of log-mel spectrograms: 256 frames x 128 bands to 16 x 8 latents of 32 channels.

`python -m recipes.music.train_autoencoder --corpus build/music/corpus --out build/music/vae --minutes 3`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from recipes.loop import Fit, Run
from recipes.music.corpus import floats, load_corpus
from recipes.music.mel import LogMel

__all__ = ["LATENTS", "REDUCTION", "error_of", "loss_of", "main", "make_vae"]

LATENTS = 32
REDUCTION = 16
"""Frames, and bands, to a latent position."""
KL = 3e-4


def make_vae() -> AutoencoderKL:
    """3.4 M parameters; as in AudioLDM spectrograms enter as they are, without being normalised."""
    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        latent_channels=LATENTS,
        block_out_channels=(16, 32, 64, 96, 128),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        mid_block_add_attention=False,
        scaling_factor=1.0,
        sample_size=128,
    )


def loss_of(made: Tensor, mel: Tensor) -> Tensor:
    """L1 of values and of differences in time and frequency at three scales: edges are notes."""
    total = (made - mel).abs().mean()
    for _ in range(3):
        for axis in (2, 3):
            total = total + 0.5 * (made.diff(dim=axis) - mel.diff(dim=axis)).abs().mean()
        made, mel = F.avg_pool2d(made, 2), F.avg_pool2d(mel, 2)
    return total


@torch.no_grad()
def error_of(vae: AutoencoderKL, corpus: Path, device: torch.device) -> float:
    """Mean absolute error of held-out clips' spectrograms, in logarithms."""
    log_mel = LogMel().to(device)
    unseen, _ = load_corpus(corpus, "unseen")
    errors = []
    for at in range(0, len(unseen), 4):
        mel = log_mel(floats(unseen[at : at + 4], device))[:, None]
        errors.append((vae.decode(vae.encode(mel).latent_dist.mean).sample - mel).abs().mean((1, 2, 3)))
    return float(torch.cat(errors).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--out", type=Path, default=Path("build/music/vae"))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--frames", type=int, default=256, help="of a clip that a step looks at, at random")
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clips, _ = load_corpus(options.corpus, "train")
    waveforms = torch.from_numpy(np.array(clips)).to(device)
    log_mel = LogMel().to(device)
    vae = make_vae().to(device).to(memory_format=torch.channels_last)
    with torch.no_grad():
        vae.decoder.conv_out.bias.fill_(-5.0)  # about the mean
    optimizer = torch.optim.AdamW(vae.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01)
    run = Run(options.out, options.minutes)
    fit = Fit(vae, optimizer, run, rate=options.rate, decay=0.998)
    for step in run.steps():
        rows = torch.randint(len(waveforms), (options.batch,), device=device)
        with torch.no_grad():
            mel = log_mel(floats(waveforms[rows]))[:, None]
            start = int(torch.randint(0, mel.shape[2] - options.frames + 1, ()))
            mel = mel[:, :, start : start + options.frames].contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            posterior = vae.encode(mel).latent_dist
            made = vae.decode(posterior.sample()).sample
        loss = loss_of(made.float(), mel) + KL * posterior.kl().mean() / mel[0].numel() * 100
        fit.step(loss)
        if step % 100 == 0:
            error = (made.float() - mel).abs().mean()
            run.log(loss=float(loss), error=float(error))
    fit.finish()
    vae.eval()
    rows = torch.arange(0, len(waveforms), max(1, len(waveforms) // 512), device=device)
    with torch.no_grad():
        latents = torch.cat(
            [
                vae.encode(log_mel(floats(waveforms[part]))[:, None]).latent_dist.mean
                for part in rows.split(32)
            ]
        )
    vae.register_to_config(scaling_factor=round(1.0 / float(latents.std()), 5))
    vae.save_pretrained(options.out)
    measured = {
        "steps": run.step,
        "error": error_of(vae, options.corpus, device),
        "mean": float(latents.mean()),
        "scaling_factor": vae.config["scaling_factor"],
    }
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


if __name__ == "__main__":
    main()
