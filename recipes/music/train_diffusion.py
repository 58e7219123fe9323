"""Train the generator in the autoencoder's latents, conditioned on the dual encoder's text vectors.

`python -m recipes.music.train_diffusion --corpus build/music/corpus --vae build/music/vae
--clap build/music/clap --out build/music/unet --minutes 10`

v-prediction with zero terminal SNR, min-SNR weighting. The condition is what the pipeline sends: the
direction of w_p e_p + w_t e_t, two parts encoded apart; one clip in ten gets the empty text.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import ClapModel

from recipes.captured import Captured
from recipes.loop import Fit, Run, wait_for
from recipes.music.caption_pool import CaptionPool
from recipes.music.captions import Caption, preference_captions, scene_captions
from recipes.music.corpus import load_corpus
from recipes.music.dual_encoder import WIDTH, embed_texts, text_ids
from recipes.music.latents import load_latents
from recipes.music.mel import MELS
from recipes.music.train_autoencoder import LATENTS, REDUCTION
from recipes.schedule import VelocityLoss

__all__ = ["main", "make_unet"]

SIZE = (256 // REDUCTION, MELS // REDUCTION)
"""Latent positions in time and frequency."""


def make_unet() -> UNet2DConditionModel:
    """AudioLDM's shape with 7 M parameters: the vector joins the time step; there is no text to attend to.

    Two resolutions, the finer one wide, learnt faster than three of as many parameters.
    """
    widths = (96, 160)
    return UNet2DConditionModel(
        sample_size=SIZE,
        in_channels=LATENTS,
        out_channels=LATENTS,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=list(widths),
        attention_head_dim=4,
        norm_num_groups=16,
        class_embed_type="simple_projection",
        class_embeddings_concat=True,
        projection_class_embeddings_input_dim=WIDTH,
        resnet_time_scale_shift="scale_shift",
        time_embedding_dim=160,
    )


class Words:
    """Text vectors of captions, drawn by what a clip is; `columns` are the two attributes they speak of."""

    def __init__(
        self, captions: list[Caption], clap: ClapModel, minilm: Path, columns: tuple[int, int]
    ) -> None:
        self.vectors = embed_texts(clap, text_ids(minilm, [text for text, _ in captions]).to(clap.device))
        self.pool, self.columns = CaptionPool(captions, clap.device), columns

    def drawn(self, labels: Tensor) -> Tensor:
        """A vector for every clip, (n, WIDTH); one in eight says one of its two attributes only."""
        keep = torch.zeros_like(labels, dtype=torch.bool)
        chance = torch.rand(len(labels), device=labels.device)
        keep[:, self.columns[0]] = chance >= 0.04
        keep[:, self.columns[1]] = chance <= 0.92
        return self.vectors[self.pool.drawn(labels, keep)]


def conditions(labels: Tensor, liked: Words, scene: Words, empty: Tensor) -> Tensor:
    """Unit rows (n, WIDTH), as the pipeline joins them."""
    count, device = len(labels), labels.device
    w = torch.empty(count, 2, device=device).uniform_(-0.7, 0.5).exp()
    chance = torch.rand(count, device=device)
    w[:, 0] = torch.where(chance < 0.07, 0.0, w[:, 0])
    w[:, 1] = torch.where(chance > 0.93, 0.0, w[:, 1])
    both = w[:, :1] * liked.drawn(labels) + w[:, 1:] * scene.drawn(labels)
    joined = F.normalize(both, dim=1)
    without = torch.rand(count, 1, device=device) < 0.1
    return torch.where(without, empty, joined)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--vae", type=Path, default=Path("build/music/vae"))
    parser.add_argument("--clap", type=Path, default=Path("build/music/clap"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/music/unet"))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, help="folder of a trained UNet to go on from")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    unet = UNet2DConditionModel.from_pretrained(options.weights) if options.weights else make_unet()
    layout = torch.channels_last if device.type == "cuda" else torch.contiguous_format
    unet = unet.float().to(device).to(memory_format=layout)
    if device.type == "cpu":  # torch's fused attention is slow in reverse there
        unet.set_attn_processor(AttnProcessor())
    print(f"{sum(p.numel() for p in unet.parameters()):,} parameters", flush=True)
    optimizer = torch.optim.AdamW(
        unet.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    run = Run(options.out, options.minutes)
    fit = Fit(unet, optimizer, run, rate=options.rate, decay=0.9995)
    torch.manual_seed(options.seed + run.step)
    velocity_loss = VelocityLoss(device)

    def loss_of(x0: Tensor, noise: Tensor, t: Tensor, c: Tensor) -> Tensor:
        def predict(x: Tensor, t: Tensor) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16):
                return unet(x, t, encoder_hidden_states=None, class_labels=c).sample

        return velocity_loss(predict, x0, noise, t)

    def backward(*batch: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*batch)
        loss.backward()
        return loss.detach()

    if options.compile:
        noise = torch.randn(options.batch, LATENTS, *SIZE, device=device).to(memory_format=layout)
        t = torch.randint(1000, (options.batch,), device=device)
        c = torch.randn(options.batch, WIDTH, device=device)
        backward = Captured(torch.compile(loss_of), (noise, torch.randn_like(noise), t, c), fit.trained)
        print("compiled", flush=True)

    latents = load_latents(options.corpus, options.vae, device)
    labels = torch.from_numpy(load_corpus(options.corpus, "train")[1]).to(device)
    print(f"{len(latents):,} latents, std {float(latents.float().std()):.3f}", flush=True)
    wait_for(options.clap / "measured.json")
    clap = ClapModel.from_pretrained(options.clap).float().eval().to(device)
    liked = Words(preference_captions(), clap, options.text, (0, 1))
    scene = Words(scene_captions(), clap, options.text, (2, 3))
    empty = embed_texts(clap, text_ids(options.text, [""]).to(device))
    del clap

    def draw_batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows = torch.randint(len(latents), (options.batch,), device=device)
        x0 = latents[rows].float().to(memory_format=layout)
        t = torch.randint(1000, (options.batch,), device=device)
        return x0, torch.randn_like(x0), t, conditions(labels[rows], liked, scene, empty)

    print("training", flush=True)
    total = torch.zeros((), device=device)
    for step in run.steps():
        total += backward(*draw_batch())
        fit.follow()
        if step % 200 == 199:
            run.log(loss=float(total) / 200)
            total.zero_()
    fit.finish()
    unet.to(torch.float16).save_pretrained(options.out)
    (options.out / "measured.json").write_text(json.dumps({"steps": run.step, "minutes": options.minutes}))
    print({"steps": run.step, "minutes": options.minutes}, flush=True)


if __name__ == "__main__":
    main()
