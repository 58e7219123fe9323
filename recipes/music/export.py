"""Put trained parts into the folders that ship: AudioLDM's and CLAP's formats, float16, checksums.

`python -m recipes.music.export --runs build/music --out models/pmg_models`

What is all-MiniLM-L6-v2's own in the text towers is left out; it joins from the asset.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, SpeechT5HifiGan

from pmg_scenarios.background_music.vocabulary import GENRES, INSTRUMENTS
from recipes.emoji.export import checksums, write_json
from recipes.music.dual_encoder import MAX_TOKENS, trained_names
from recipes.music.mel import (
    CLAP_FFT,
    CLAP_HIGHEST,
    CLAP_HOP,
    CLAP_MELS,
    CLAP_RATE,
    CLAP_SECONDS,
    FLOOR,
    HOP,
    MELS,
    N_FFT,
    WINDOW,
)
from recipes.schedule import make_schedule

__all__ = ["best_vae", "export_clap", "export_diffusion", "has_vocoder", "main"]

MODEL_INDEX = {
    "_class_name": "AudioLDMPipeline",
    "_diffusers_version": "0.42.1",
    "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
    "text_encoder": ["transformers", "ClapTextModelWithProjection"],
    "tokenizer": ["transformers", "BertTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "vocoder": ["transformers", "SpeechT5HifiGan"],
}
MEL = {
    "n_fft": N_FFT,
    "win_length": WINDOW,
    "hop_length": HOP,
    "n_mels": MELS,
    "fmin": 0.0,
    "fmax": None,
    "floor": FLOOR,
    "peak": None,
}
PHASES = {
    "_class_name": "GriffinLim",
    "iterations": 32,
    "model_in_dim": MELS,
    "sampling_rate": CLAP_RATE,
    "upsample_rates": [HOP],
}
"""A vocoder's config.json where none was trained."""
TAGS = {
    "tags": {"instrument": list(INSTRUMENTS), "genre": list(GENRES)},
    "threshold": {"instrument": 0.3, "genre": 0.4},
}
HALF = "half.safetensors"
"""Of a text tower's folder: what stands before and behind MiniLM's layers."""


def halved(model: ClapModel, prefixes: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """The tensors that are not MiniLM's, below the prefixes, in float16."""
    state = model.state_dict()
    return {
        name: (state[name].half() if state[name].is_floating_point() else state[name]).contiguous()
        for name in trained_names(model)
        if name.startswith(prefixes)
    }


def best_vae(runs: Path) -> Path:
    """The autoencoder, with the decoder that was trained further where there is one."""
    further = runs / "decoder"
    return further if (further / "measured.json").exists() else runs / "vae"


def has_vocoder(runs: Path) -> bool:
    """Whether one was trained to the end."""
    return (runs / "vocoder" / "measured.json").exists()


def export_diffusion(runs: Path, out: Path, defaults: dict[str, Any]) -> None:
    """unet, vae, vocoder, scheduler, half a text encoder and model_index.json."""
    UNet2DConditionModel.from_pretrained(runs / "unet").to(torch.float16).save_pretrained(out / "unet")
    AutoencoderKL.from_pretrained(best_vae(runs)).to(torch.float16).save_pretrained(out / "vae")
    index = dict(MODEL_INDEX)
    if has_vocoder(runs):
        SpeechT5HifiGan.from_pretrained(runs / "vocoder").to(torch.float16).save_pretrained(out / "vocoder")
    else:
        (out / "vocoder").mkdir(parents=True, exist_ok=True)
        write_json(out / "vocoder" / "config.json", PHASES)
        index["vocoder"] = ["pmg_audioldm.griffin_lim", "GriffinLim"]
    schedule = DPMSolverMultistepScheduler.from_config(
        make_schedule().config, algorithm_type="dpmsolver++", final_sigmas_type="zero"
    )
    schedule.save_pretrained(out / "scheduler")
    clap = ClapModel.from_pretrained(runs / "clap")
    text = out / "text_encoder"
    text.mkdir(parents=True, exist_ok=True)
    save_file(halved(clap, ("text_model.", "text_projection.")), text / HALF, metadata={"format": "pt"})
    config = clap.config.text_config.to_dict() | {"architectures": ["ClapTextModelWithProjection"]}
    write_json(text / "config.json", config)
    write_json(out / "model_index.json", {**index, "pmg": {**defaults, "mel": MEL}})


def export_clap(clap: Path, out: Path) -> None:
    """The dual encoder but for MiniLM, its feature extractor, and the tags it may say."""
    model = ClapModel.from_pretrained(clap)
    out.mkdir(parents=True, exist_ok=True)
    save_file(
        halved(model, ("text_", "audio_", "logit_")), out / "towers.safetensors", metadata={"format": "pt"}
    )
    config: ClapConfig = model.config
    write_json(out / "config.json", config.to_dict() | {"architectures": ["ClapModel"]})
    ClapFeatureExtractor(
        feature_size=CLAP_MELS,
        sampling_rate=CLAP_RATE,
        hop_length=CLAP_HOP,
        max_length_s=CLAP_SECONDS,
        fft_window_size=CLAP_FFT,
        frequency_min=0,
        frequency_max=CLAP_HIGHEST,
        truncation="rand_trunc",
    ).save_pretrained(out)
    write_json(out / "tags.json", TAGS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("build/music"))
    parser.add_argument("--out", type=Path, default=Path("models/pmg_models"))
    parser.add_argument("--judge", type=Path, default=Path("recipes/music/judge"))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    defaults = {
        "steps": options.steps,
        "guidance": options.guidance,
        "guidance_rescale": 0.0,
        "seconds": options.seconds,
        "max_tokens": MAX_TOKENS,
    }
    export_diffusion(options.runs, options.out / "music-diffusion", defaults)
    export_clap(options.runs / "ear", options.out / "music-clap")
    options.judge.mkdir(parents=True, exist_ok=True)
    shutil.copy2(options.runs / "recogniser" / "recogniser.safetensors", options.judge)
    for folder in (options.out / "music-diffusion", options.out / "music-clap", options.judge):
        checksums(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
