"""Train the text-to-image model in the autoencoder's latents.

`python -m recipes.emoji.train_diffusion --data build/emoji --vae build/emoji/vae --pool build/emoji/pool
--out build/emoji/unet --minutes 15`

On several GPUs of one machine: `torchrun --nproc-per-node 2 -m recipes.emoji.train_diffusion ...`;
`--batch` is that of one GPU.

v-prediction with zero terminal SNR, min-SNR weighting, two separately encoded and weighted text parts,
one picture in ten without text.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor

from recipes.captured import Captured
from recipes.emoji.library import load_library
from recipes.emoji.pictures import Pictures
from recipes.emoji.pool import CAPTIONS, Pool, load_pool
from recipes.emoji.text import MAX_TOKENS, Text
from recipes.loop import Fit, Run, wait_for
from recipes.schedule import VelocityLoss
from recipes.team import Team

__all__ = ["main", "make_unet"]

WIDTH = 384
"""Of the text encoder's hidden states."""


def make_unet() -> UNet2DConditionModel:
    """20 M parameters, 3.6 GFLOP a step."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=12,
        out_channels=12,
        block_out_channels=(112, 224),
        layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=7,
        norm_num_groups=16,
    )


@torch.no_grad()
def encode_pool(
    pool: Pool, pictures: Pictures, vae: AutoencoderKL, device: torch.device, batch: int = 512
) -> Tensor:
    """Latents of every scene, bfloat16 (n, 12, 16, 16), scaled to unit variance."""
    vae = vae.to(device).to(memory_format=torch.channels_last)
    latents = torch.empty(len(pool), 12, 16, 16, dtype=torch.bfloat16, device=device)
    for at in range(0, len(pool), batch):
        picture = pictures.draw(pool.scenes[at : at + batch]).to(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16):
            latent = vae.encode(picture).latent_dist.mean
        latents[at : at + batch] = latent * vae.config["scaling_factor"]
    return latents


class Texts:
    """Weighted conditions for batches of scenes, all on the training device.

    The encoder is frozen, so every different text is encoded once: 15 kB a text, a look-up a step.
    """

    def __init__(self, pool: Pool, text: Text, device: torch.device) -> None:
        ids = torch.from_numpy(pool.ids).to(device).reshape(-1, MAX_TOKENS)
        empty = torch.from_numpy(text.ids([""])).to(device)
        known, number = torch.cat([torch.zeros_like(empty), empty, ids]).unique(dim=0, return_inverse=True)
        self.nothing, self.empty = number[0], number[1]
        self.number = number[2:].view(len(pool), CAPTIONS, 2)
        self.weight = torch.from_numpy(pool.scenes.weight).to(device)
        self.mask = known > 0
        self.hidden = torch.empty(*known.shape, WIDTH, dtype=text.model.dtype, device=device)
        for at in range(0, len(known), 4096):
            self.hidden[at : at + 4096], _ = text.embed(known[at : at + 4096])
        self.hidden[self.nothing] = 0.0

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (n, 2 * MAX_TOKENS, WIDTH) and mask; one in ten is the empty text."""
        count, device = len(rows), rows.device
        number = self.number[rows, torch.randint(CAPTIONS, (count,), device=device)]
        both = (number != self.nothing).all(1)
        lost = torch.rand(count, device=device)
        lose = torch.stack([(lost < 0.06) & both, (lost > 0.94) & both], 1)
        without = (torch.rand(count, device=device) < 0.1)[:, None]
        number = torch.where(lose, self.nothing, number)
        number = torch.where(without, torch.stack([self.empty, self.nothing]), number)
        weight = torch.where(both[:, None] & ~without, self.weight[rows], 1.0)
        hidden = self.hidden[number] * weight[..., None, None].to(self.hidden.dtype)
        return hidden.view(count, 2 * MAX_TOKENS, WIDTH), self.mask[number].view(count, -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--vae", type=Path, default=Path("build/emoji/vae"))
    parser.add_argument("--pool", type=Path, default=Path("build/emoji/pool"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/unet"))
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, help="folder of a trained UNet to go on from")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    team = Team()
    device = team.device

    if options.weights:
        unet = UNet2DConditionModel.from_pretrained(options.weights, torch_dtype=torch.float32)
    else:
        unet = make_unet()
    unet = unet.to(device).to(memory_format=torch.channels_last)
    decayed = [p for p in unet.parameters() if p.ndim > 1]
    others = [p for p in unet.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}],
        lr=options.rate,
        betas=(0.9, 0.99),
        fused=device.type == "cuda",
    )
    run = Run(options.out, options.minutes, team=team)
    fit = Fit(unet, optimizer, run, rate=options.rate, decay=0.9997)
    torch.manual_seed(options.seed + run.step + 1_000_003 * team.rank)

    velocity_loss = VelocityLoss(device)

    def loss_of(x0: Tensor, noise: Tensor, t: Tensor, hidden: Tensor, mask: Tensor) -> Tensor:
        def predict(x: Tensor, t: Tensor) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16):
                return unet(x, t, hidden, encoder_attention_mask=mask).sample

        return velocity_loss(predict, x0, noise, t)

    def backward(*batch: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*batch)
        loss.backward()
        return loss.detach()

    if options.compile:
        channels = torch.channels_last
        size, width = (options.batch, 12, 16, 16), (options.batch, 2 * MAX_TOKENS, WIDTH)
        noise = torch.randn(size, device=device).to(memory_format=channels)
        hidden = torch.randn(width, device=device, dtype=torch.bfloat16)
        told = torch.ones(width[:2], device=device, dtype=torch.bool)
        t = torch.randint(1000, (options.batch,), device=device)
        example = (noise, torch.randn_like(noise), t, hidden, told)
        backward = Captured(torch.compile(loss_of), example, fit.trained)
        print("compiled", flush=True)

    wait_for(options.vae / "measured.json")
    wait_for(options.pool / "pool.npz")
    pool = load_pool(options.pool)[team.rank :: team.size]
    pictures = Pictures(load_library(options.data), device)
    vae = AutoencoderKL.from_pretrained(options.vae, torch_dtype=torch.float32).eval()
    latents = encode_pool(pool, pictures, vae, device)
    del pictures
    print(f"{len(latents):,} latents, std {float(latents.float().std()):.3f}", flush=True)
    texts = Texts(pool, Text(options.text, device, torch.bfloat16), device)
    print(f"{len(texts.mask):,} different texts", flush=True)

    def draw_batch() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        rows = torch.randint(len(latents), (options.batch,), device=device)
        x0 = latents[rows].float().to(memory_format=torch.channels_last)
        hidden, mask = texts.batch(rows)
        t = torch.randint(1000, (options.batch,), device=device)
        return x0, torch.randn_like(x0), t, hidden, mask

    print("training", flush=True)
    total = torch.zeros((), device=device)
    for step in run.steps():
        total += backward(*draw_batch())
        fit.follow()
        if step % 200 == 199:
            run.log(loss=float(total) / 200)
            total.zero_()
    fit.finish()
    if team.leads:
        unet.to(torch.float16).save_pretrained(options.out)
        print({"steps": run.step, "minutes": options.minutes}, flush=True)
    team.part()


if __name__ == "__main__":
    main()
