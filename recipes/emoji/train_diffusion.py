"""Train the text-to-image model in the autoencoder's latents.

`python -m recipes.emoji.train_diffusion --data build/emoji --vae build/emoji/vae --pool build/emoji/pool
--out build/emoji/unet --minutes 15`

v-prediction with zero terminal SNR, min-SNR weighting, two separately encoded and weighted text parts,
one picture in ten without text.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from torch import Tensor

from recipes.emoji.library import load_library
from recipes.emoji.loop import Fit, Run, wait_for
from recipes.emoji.pictures import Pictures
from recipes.emoji.pool import CAPTIONS, Pool, load_pool
from recipes.emoji.text import MAX_TOKENS, Text

__all__ = ["main", "make_schedule", "make_unet"]


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
        cross_attention_dim=384,
        attention_head_dim=7,
        norm_num_groups=16,
    )


def make_schedule() -> DDPMScheduler:
    """1000 steps, v-prediction, zero terminal SNR."""
    return DDPMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
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
    """Weighted conditions for batches of scenes, all on the training device."""

    def __init__(self, pool: Pool, text: Text, device: torch.device) -> None:
        self.ids = torch.from_numpy(pool.ids).to(device)
        self.weight = torch.from_numpy(pool.scenes.weight).to(device)
        self.text = text
        self.empty = torch.from_numpy(text.ids([""])).to(device)

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (n, 2 * MAX_TOKENS, 384) and mask; one in ten is the empty text."""
        count, device = len(rows), rows.device
        which = torch.randint(CAPTIONS, (count,), device=device)
        ids = self.ids[rows, which].clone()
        weight = self.weight[rows].clone()
        said = ids[..., 0] > 0
        both = said.all(1)
        lost = torch.rand(count, device=device)
        ids[(lost < 0.06) & both, 0] = 0
        ids[(lost > 0.94) & both, 1] = 0
        weight[~both] = 1.0
        without = torch.rand(count, device=device) < 0.1
        ids[without, 0] = self.empty[0]
        ids[without, 1] = 0
        weight[without] = 1.0
        hidden, mask = self.text.embed(ids.view(-1, MAX_TOKENS))
        hidden = hidden.view(count, 2, MAX_TOKENS, -1) * weight[..., None, None].to(hidden.dtype)
        return hidden.view(count, 2 * MAX_TOKENS, -1), mask.view(count, -1)


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
    parser.add_argument("--start", type=Path, help="folder of a trained UNet to go on from")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    if options.start:
        unet = UNet2DConditionModel.from_pretrained(options.start, torch_dtype=torch.float32)
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
    run = Run(options.out, options.minutes)
    fit = Fit(unet, optimizer, run, rate=options.rate, decay=0.9997)
    torch.manual_seed(options.seed + run.step)

    alphas = make_schedule().alphas_cumprod.to(device)
    snr = alphas / (1 - alphas)
    share = snr.clamp(max=5.0) / (snr + 1)
    share = share.clamp_min(0.1)

    def loss_of(x0: Tensor, noise: Tensor, t: Tensor, hidden: Tensor, mask: Tensor) -> Tensor:
        a = alphas[t].sqrt().view(-1, 1, 1, 1)
        s = (1 - alphas[t]).sqrt().view(-1, 1, 1, 1)
        noisy, wanted = a * x0 + s * noise, a * noise - s * x0
        with torch.autocast(device.type, torch.bfloat16):
            guess = unet(noisy, t, hidden, encoder_attention_mask=mask).sample
        return ((guess.float() - wanted).square().mean(dim=(1, 2, 3)) * share[t]).mean()

    step_loss = torch.compile(loss_of) if options.compile else loss_of

    if options.compile:
        channels = torch.channels_last
        size, width = (options.batch, 12, 16, 16), (options.batch, 2 * MAX_TOKENS, 384)
        noise = torch.randn(size, device=device).to(memory_format=channels)
        hidden = torch.randn(width, device=device, dtype=torch.bfloat16)
        told = torch.ones(width[:2], device=device, dtype=torch.bool)
        t = torch.randint(1000, (options.batch,), device=device)
        step_loss(noise, torch.randn_like(noise), t, hidden, told).backward()
        optimizer.zero_grad(set_to_none=True)
        print("compiled", flush=True)

    wait_for(options.vae / "measured.json")
    wait_for(options.pool / "pool.npz")
    pool = load_pool(options.pool)
    pictures = Pictures(load_library(options.data), device)
    vae = AutoencoderKL.from_pretrained(options.vae, torch_dtype=torch.float32).eval()
    latents = encode_pool(pool, pictures, vae, device)
    del pictures
    print(f"{len(latents):,} latents, std {float(latents.float().std()):.3f}", flush=True)
    texts = Texts(pool, Text(options.text, device, torch.bfloat16), device)

    def draw_batch() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        rows = torch.randint(len(latents), (options.batch,), device=device)
        x0 = latents[rows].float().to(memory_format=torch.channels_last)
        hidden, mask = texts.batch(rows)
        t = torch.randint(1000, (options.batch,), device=device)
        return x0, torch.randn_like(x0), t, hidden, mask

    print("training", flush=True)
    total = torch.zeros((), device=device)
    for step in run.steps():
        loss = step_loss(*draw_batch())
        fit.step(loss)
        total += loss.detach()
        if step % 200 == 199:
            run.log(loss=float(total) / 200)
            total.zero_()
    fit.finish()
    unet.to(torch.float16).save_pretrained(options.out)
    print({"steps": run.step, "hours": options.minutes / 60}, flush=True)


if __name__ == "__main__":
    main()
