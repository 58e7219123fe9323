"""Put trained parts into the folders that ship: standard formats, float16, checksums.

`python -m recipes.emoji.export --runs build/emoji --out models/pmg_models`
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from pmg_transformers.soft_preference.checkpoint import SoftCheckpoint
from recipes.emoji.text import MAX_TOKENS
from recipes.emoji.train_dual_encoder import TRUNK, WIDTH
from recipes.schedule import make_schedule

__all__ = ["export_diffusion", "export_dual_encoder", "export_recogniser", "main"]

MINILM = "sentence-transformers/all-MiniLM-L6-v2"

MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.1",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
    "text_encoder": ["transformers", "BertModel"],
    "tokenizer": ["transformers", "BertTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}

CLIP_CONFIG = {
    "model_cfg": {
        "embed_dim": WIDTH,
        "vision_cfg": {
            "timm_model_name": TRUNK,
            "timm_model_pretrained": False,
            "timm_pool": "",
            "timm_proj": "linear",
            "timm_drop": 0.0,
            "timm_drop_path": 0.0,
            "image_size": 128,
        },
        "text_cfg": {
            "hf_model_name": MINILM,
            "hf_tokenizer_name": MINILM,
            "hf_proj_type": "mlp",
            "hf_pooler_type": "mean_pooler",
            "context_length": MAX_TOKENS,
        },
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "longest",
        "fill_color": 255,
    },
}


def export_diffusion(runs: Path, vae: Path, out: Path, defaults: dict[str, object]) -> None:
    """unet, vae, scheduler and model_index.json; text encoder and tokenizer join from the asset."""
    UNet2DConditionModel.from_pretrained(runs / "unet").to(torch.float16).save_pretrained(out / "unet")
    AutoencoderKL.from_pretrained(vae).to(torch.float16).save_pretrained(out / "vae")
    schedule = DPMSolverMultistepScheduler.from_config(
        make_schedule().config, algorithm_type="dpmsolver++", final_sigmas_type="zero"
    )
    schedule.save_pretrained(out / "scheduler")
    write_json(out / "model_index.json", {**MODEL_INDEX, "pmg": defaults})


def export_dual_encoder(runs: Path, out: Path) -> None:
    """The trained half of the open_clip folder and its configuration."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = load_file(runs / "clip" / "dual_encoder.safetensors")
    save_file(tensors, out / "towers.safetensors", metadata={"format": "pt"})
    write_json(out / "open_clip_config.json", CLIP_CONFIG)


def export_recogniser(runs: Path, out: Path) -> None:
    """The judge; it stays with the recipe, applications do not need it."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy2(runs / "recogniser" / "recogniser.safetensors", out / "recogniser.safetensors")


def write_json(path: Path, value: object) -> None:
    """Indented JSON with a final newline."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def checksums(folder: Path) -> None:
    """`SHA256SUMS` of every weight file below `folder`."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}"
        for path in sorted(folder.rglob("*.safetensors"))
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("build/emoji"))
    parser.add_argument("--out", type=Path, default=Path("models/pmg_models"))
    parser.add_argument("--judge", type=Path, default=Path("recipes/emoji/judge"))
    parser.add_argument("--vae", type=Path, default=Path("build/emoji/vae-polished"))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--guidance", type=float, default=4.0)
    options = parser.parse_args()
    defaults: dict[str, object] = {
        "steps": options.steps,
        "guidance": options.guidance,
        "guidance_rescale": 0.0,
        "size": [128, 128],
        "max_tokens": MAX_TOKENS,
    }
    export_diffusion(options.runs, options.vae, options.out / "emoji-diffusion", defaults)
    export_dual_encoder(options.runs, options.out / "emoji-clip")
    export_recogniser(options.runs, options.judge)
    SoftCheckpoint.load(options.runs / "soft").exported().save(options.out / "emoji-soft")
    for folder in (*(options.out / f"emoji-{name}" for name in ("diffusion", "clip", "soft")), options.judge):
        checksums(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
