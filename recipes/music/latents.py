"""The corpus as the autoencoder's latents, read by whoever trains on them; the first to ask encodes.

`python -m recipes.music.latents --corpus build/music/corpus --vae build/music/vae`
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from recipes.loop import wait_for
from recipes.music.corpus import floats, load_corpus
from recipes.music.mel import LogMel

__all__ = ["load_latents", "main"]


def load_latents(corpus: Path, vae: Path, device: torch.device) -> Tensor:
    """Of set "train", (n, LATENTS, 32, 16), bfloat16, at unit variance; encoded where there are none yet."""
    wait_for(vae / "measured.json")
    path, weights = vae / "latents.pt", vae / "diffusion_pytorch_model.safetensors"
    if not path.exists() or path.stat().st_mtime < weights.stat().st_mtime:
        clips, _ = load_corpus(corpus, "train")
        part = vae / f"latents.{os.getpid()}.part"  # others may be at it, on GPUs of their own
        torch.save(_encode(clips, AutoencoderKL.from_pretrained(vae), device), part)
        os.replace(part, path)
    latents: Tensor = torch.load(path, weights_only=True)
    return latents.to(device)


@torch.no_grad()
def _encode(clips: np.ndarray, vae: AutoencoderKL, device: torch.device) -> Tensor:
    log_mel, vae = LogMel().to(device), vae.to(device).to(memory_format=torch.channels_last)
    batch = 256 if device.type == "cuda" else 4  # what a core's cache holds
    found = []
    for at in range(0, len(clips), batch):
        mel = log_mel(floats(clips[at : at + batch], device))[:, None]
        with torch.autocast(device.type, torch.bfloat16):
            latents = vae.encode(mel.contiguous(memory_format=torch.channels_last)).latent_dist.mean
        found.append((latents * vae.config["scaling_factor"]).bfloat16().cpu())
        if (at + batch) % 2000 < batch:
            print(f"encoded {at + batch:,} of {len(clips):,}", flush=True)
    return torch.cat(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--vae", type=Path, default=Path("build/music/vae"))
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    latents = load_latents(options.corpus, options.vae, device)
    print(f"{len(latents):,} latents, std {float(latents.float().std()):.3f}", flush=True)


if __name__ == "__main__":
    main()
