"""Train the autoencoder of log-mel spectrograms: 256 frames x 128 bands to 32 x 16 latents of 8 channels.

`python -m recipes.music.train_autoencoder --corpus build/music/corpus --out build/music/vae --minutes 3`;
on several GPUs with `python -m torch.distributed.run --nproc-per-node 2 -m ...`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor

from recipes.captured import Captured
from recipes.loop import Fit, Run
from recipes.music.corpus import floats, load_corpus
from recipes.music.mel import MELS, LogMel
from recipes.music.spectrogram_loss import spectrogram_loss
from recipes.team import Team

__all__ = ["LATENTS", "REDUCTION", "error_of", "main", "make_vae"]

LATENTS = 8
REDUCTION = 8
"""Frames, and bands, to a latent position."""
KL = 3e-4


def make_vae() -> AutoencoderKL:
    """2.3 M parameters; as in AudioLDM spectrograms enter as they are, without being normalised."""
    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        latent_channels=LATENTS,
        block_out_channels=(32, 64, 96, 96),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        mid_block_add_attention=False,
        scaling_factor=1.0,
        sample_size=128,
    )


@torch.no_grad()
def error_of(vae: AutoencoderKL, corpus: Path, device: torch.device) -> float:
    """Mean absolute error of held-out clips' spectrograms, in logarithms; of 512 at most."""
    log_mel = LogMel().to(device)
    unseen = load_corpus(corpus, "unseen")[0][:512]
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
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    team = Team()
    device, layout = team.device, torch.channels_last
    log_mel = LogMel().to(device)
    vae = make_vae().to(device).to(memory_format=layout)
    with torch.no_grad():
        vae.decoder.conv_out.bias.fill_(-5.0)  # nearer the mean than 0
    optimizer = torch.optim.AdamW(
        vae.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    run = Run(options.out, options.minutes, team=team)
    fit = Fit(vae, optimizer, run, rate=options.rate, decay=0.998)
    torch.manual_seed(1 + run.step + 1_000_003 * team.rank)

    def loss_of(mel: Tensor, noise: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            moments = vae.quant_conv(vae.encoder(mel))
        posterior = DiagonalGaussianDistribution(moments.float())
        with torch.autocast(device.type, torch.bfloat16):
            made = vae.decoder(vae.post_quant_conv(posterior.mean + posterior.std * noise))
        kl = posterior.kl().mean() / mel[0].numel()
        return spectrogram_loss(made.float(), mel) + 100 * KL * kl

    def backward(*batch: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*batch)
        loss.backward()
        return loss.detach()

    def noise() -> Tensor:
        size = (options.batch, LATENTS, options.frames // REDUCTION, MELS // REDUCTION)
        return torch.randn(size, device=device).contiguous(memory_format=layout)

    if options.compile:
        some = torch.randn(options.batch, 1, options.frames, MELS, device=device)
        backward = Captured(torch.compile(loss_of), (some, noise()), fit.trained)
        print("compiled", flush=True)
    clips, _ = load_corpus(options.corpus, "train")
    waveforms = torch.from_numpy(np.array(clips[team.rank :: team.size])).to(device)
    total = torch.zeros((), device=device)
    print("training", flush=True)
    for step in run.steps():
        rows = torch.randint(len(waveforms), (options.batch,), device=device)
        with torch.no_grad():
            mel = log_mel(floats(waveforms[rows]))[:, None]
            start = int(torch.randint(0, mel.shape[2] - options.frames + 1, ()))
            mel = mel[:, :, start : start + options.frames].contiguous(memory_format=layout)
        total += backward(mel, noise())
        fit.follow()
        if step % 200 == 199:
            run.log(loss=float(total) / 200)
            total.zero_()
    fit.finish()
    team.part()
    if not team.leads:
        return
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
