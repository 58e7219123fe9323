"""Draw with freshly trained parts: the shortest road from weights to pictures, for a look during training.

`python -m recipes.emoji.sample --runs build/emoji --out build/emoji/sample.png`
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor

from recipes.emoji.text import MAX_TOKENS, Text
from recipes.emoji.vocabulary import STYLE_PHRASES
from recipes.schedule import make_schedule

__all__ = ["Sampler", "sheet"]

LOOKS = (
    ("dog face, {}", "crying, tears"),
    ("cat face, {}", "happy, smiling"),
    ("panda, {}", "in love, heart eyes"),
    ("frog, {}", "angry, mad"),
    ("soccer ball, {}", "happy, excited"),
    ("pizza, {}", "sleepy"),
    ("{}", "rocket"),
    ("blue guitar, {}", ""),
    ("purple automobile, {}", ""),
    ("cat face, {}", "soccer ball"),
    ("robot, {}", "rose"),
    ("house, {}", ""),
)


class Sampler:
    """Two weighted text parts in, pictures in [-1, 1] out, on any device."""

    def __init__(self, runs: Path, text: Path, device: torch.device) -> None:
        self.device = device
        self.dtype = torch.float16 if device.type == "cuda" else torch.float32
        self.text = Text(text, device)
        self.unet = UNet2DConditionModel.from_pretrained(runs / "unet").eval().to(device, self.dtype)
        self.vae = AutoencoderKL.from_pretrained(runs / "vae").eval().to(device)
        config = make_schedule().config
        self.scheduler = DPMSolverMultistepScheduler.from_config(config, final_sigmas_type="zero")

    @torch.inference_mode()
    def __call__(
        self,
        parts: Sequence[tuple[str, str]],
        *,
        steps: int = 16,
        guidance: float = 4.0,
        weights: tuple[float, float] = (1.0, 1.0),
        seed: int = 0,
    ) -> Tensor:
        """float32 (n, 3, 128, 128) on the CPU."""
        flat = [text for pair in parts for text in pair]
        ids = torch.from_numpy(self.text.ids(flat)).to(self.device)
        ids[[i for i, text in enumerate(flat) if not text]] = 0
        hidden, mask = self.text.embed(ids)
        scale = torch.tensor(weights, device=self.device).repeat(len(parts)).view(-1, 1, 1)
        hidden = (hidden * scale).view(len(parts), 2 * MAX_TOKENS, -1)
        nothing = torch.zeros(1, 2 * MAX_TOKENS, dtype=torch.int16, device=self.device)
        nothing[:, :MAX_TOKENS] = torch.from_numpy(self.text.ids([""])).to(self.device)
        empty, empty_mask = self.text.embed(nothing)
        count = len(parts)
        hidden = torch.cat([empty.expand(count, -1, -1), hidden]).to(self.dtype)
        mask = torch.cat([empty_mask.expand(count, -1), mask.view(count, -1)])
        noise = [
            torch.randn(12, 16, 16, generator=torch.Generator().manual_seed(seed + i)) for i in range(count)
        ]
        latent = torch.stack(noise).to(self.device)
        self.scheduler.set_timesteps(steps, device=self.device)
        for t in self.scheduler.timesteps:
            double = torch.cat([latent, latent]).to(self.dtype)
            away, towards = self.unet(double, t, hidden, encoder_attention_mask=mask).sample.float().chunk(2)
            latent = self.scheduler.step(away + guidance * (towards - away), t, latent).prev_sample
        pictures = [
            self.vae.decode(part / self.vae.config["scaling_factor"]).sample for part in latent.split(64)
        ]
        return torch.cat(pictures).float().clamp(-1, 1).cpu()


def sheet(pictures: Tensor, columns: int) -> Image.Image:
    """Pictures (n, 3, h, w) in [-1, 1] as one image, row by row."""
    array = ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    count, height, width = array.shape[:3]
    rows = -(-count // columns)
    canvas = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for i, picture in enumerate(array):
        y, x = i // columns * height, i % columns * width
        canvas[y : y + height, x : x + width] = picture
    return Image.fromarray(canvas)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("build/emoji"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/sample.png"))
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--guidance", type=float, default=4.0)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sampler = Sampler(options.runs, options.text, device)
    parts = [(left.format(phrase), right) for left, right in LOOKS for phrase in STYLE_PHRASES.values()]
    sheet(sampler(parts, steps=options.steps, guidance=options.guidance), len(STYLE_PHRASES) * 2).save(
        options.out
    )


if __name__ == "__main__":
    main()
