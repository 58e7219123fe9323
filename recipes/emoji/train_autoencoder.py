"""Train the autoencoder: 128 px pictures to 16 x 16 x 12 latents and back.

`python -m recipes.emoji.train_autoencoder --data build/emoji --out build/emoji/vae --minutes 5`

L1 + multi-scale gradient loss + VGG16 feature distance + a small KL. One in twenty names is held out
and measured at the end.
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

from recipes.emoji.library import Library, load_library
from recipes.emoji.perceptual import FeatureDistance
from recipes.emoji.pictures import Pictures
from recipes.emoji.scenes import Scenes, draw_scenes
from recipes.loop import Fit, Run

__all__ = ["held_out_names", "main", "make_autoencoder", "originals"]


def make_autoencoder() -> AutoencoderKL:
    """5.5 M parameters, 13 GFLOP a decoded picture."""
    return AutoencoderKL(
        block_out_channels=(48, 96, 128, 160),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=12,
        mid_block_add_attention=False,
        norm_num_groups=16,
        sample_size=128,
    )


def held_out_names(library: Library) -> np.ndarray:
    """Indices of the names the autoencoder never sees: every twentieth."""
    return np.arange(0, len(library.names), 20)


def originals(rows: np.ndarray) -> Scenes:
    """Scenes that show single icons as they are."""
    count = len(rows)
    place = np.zeros((count, 2, 4), np.float32)
    place[..., 2:] = 1
    return Scenes(
        kind=np.zeros(count, np.int8),
        first=rows.astype(np.int32),
        second=np.full(count, -1, np.int32),
        paint=np.zeros(count, np.int16),
        weight=np.ones((count, 2), np.float32),
        place=place,
        noise=np.zeros(count, np.float32),
    )


def _edges(picture: Tensor) -> list[Tensor]:
    levels = []
    for _ in range(3):
        levels += [picture.diff(dim=2), picture.diff(dim=3)]
        picture = F.avg_pool2d(picture, 2)
    return levels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--vgg", type=Path, default=Path("build/emoji/vgg16-trunk.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/vae"))
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--decoder-of", type=Path, help="polish the decoder of this folder, keep its latents")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    library = load_library(options.data)
    pictures = Pictures(library, device)
    unseen = np.isin(library.name, held_out_names(library))
    scenes = draw_scenes(library, 200_000 if device.type == "cuda" else 2_000, seed=11)
    hidden = unseen[scenes.first] | ((scenes.second >= 0) & unseen[scenes.second])
    scenes = scenes[~hidden]

    if options.decoder_of:
        vae = AutoencoderKL.from_pretrained(options.decoder_of, torch_dtype=torch.float32)
    else:
        vae = make_autoencoder()
    vae = vae.to(device).to(memory_format=torch.channels_last)
    if options.decoder_of:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    distance = FeatureDistance(options.vgg).to(device).to(memory_format=torch.channels_last)
    trained = [parameter for parameter in vae.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.0)
    run = Run(options.out, options.minutes)
    fit = Fit(vae, optimizer, run, rate=options.rate, decay=0.999)

    def loss_of(picture: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(device.type, torch.bfloat16):
            posterior = vae.encode(picture).latent_dist
            again = vae.decode(posterior.mean if options.decoder_of else posterior.sample()).sample
            perceived = distance(again, picture)
        again = again.float()
        error = (again - picture).abs().mean()
        sharp = sum((a - b).abs().mean() for a, b in zip(_edges(again), _edges(picture), strict=True))
        kl = posterior.kl().mean() / posterior.mean[0].numel()
        return error + 0.25 * sharp + 0.3 * perceived + 3e-4 * kl, error

    step_loss = torch.compile(loss_of) if options.compile else loss_of
    rng = np.random.default_rng(run.step)
    if options.compile:
        step_loss(pictures.draw(scenes[: options.batch]).to(memory_format=torch.channels_last))[0].backward()
    for step in run.steps():
        rows = rng.integers(0, len(scenes), options.batch)
        picture = pictures.draw(scenes[rows]).to(memory_format=torch.channels_last)
        loss, error = step_loss(picture)
        fit.step(loss)
        if step % 100 == 0:
            run.log(loss=float(loss), error_255=float(error) * 127.5)

    fit.finish()
    vae.eval()
    rows = np.flatnonzero(unseen[: library.originals])
    errors, latents = [], []
    with torch.no_grad():
        for at in range(0, len(rows), 64):
            picture = pictures.draw(originals(rows[at : at + 64]))
            latent = vae.encode(picture).latent_dist.mean
            again = vae.decode(latent).sample.clamp(-1, 1)
            errors.append((again - picture).abs().mean(dim=(1, 2, 3)) * 127.5)
            latents.append(latent)
    scale = float(torch.cat(latents).std())
    if not options.decoder_of:
        vae.register_to_config(scaling_factor=round(1 / scale, 4))
    vae.save_pretrained(options.out)
    measured = {"steps": run.step, "unseen_error_255": float(torch.cat(errors).mean()), "latent_std": scale}
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


if __name__ == "__main__":
    main()
