"""Tiny diffusers folders shaped like Stable Diffusion 1.5, 2.1, XL and the embedded emoji model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tiny_models.text_encoders import bert_text_folder, clip_text_folder

__all__ = ["embedded_folder", "sd15_folder", "sd21_folder", "sdxl_folder"]


def sd15_folder(folder: Path) -> Path:
    """SD 1.5: CLIP ViT-L-like text encoder, heads of a fixed number, epsilon prediction, PNDM; 64 px."""
    clip_text_folder(folder / "text_encoder", tokenizer=folder / "tokenizer")
    _unet(folder, cross_attention_dim=32, attention_head_dim=4)
    _vae(folder, latent_channels=4, scaling_factor=0.18215)
    _scheduler(folder, "PNDMScheduler", skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1)
    return _index(folder, "StableDiffusionPipeline", ("text_encoder", "tokenizer"))


def sd21_folder(folder: Path) -> Path:
    """SD 2.1: wider OpenCLIP-like encoder with GELU, heads of a fixed width, v-prediction."""
    clip_text_folder(
        folder / "text_encoder", tokenizer=folder / "tokenizer", width=64, act="gelu", pad_token="!", seed=1
    )
    _unet(folder, cross_attention_dim=64, attention_head_dim=(4, 8), use_linear_projection=True)
    _vae(folder, latent_channels=4, scaling_factor=0.18215)
    _scheduler(folder, "DDIMScheduler", prediction_type="v_prediction", clip_sample=False, steps_offset=1)
    return _index(folder, "StableDiffusionPipeline", ("text_encoder", "tokenizer"))


def sdxl_folder(folder: Path) -> Path:
    """SDXL: two text encoders side by side, a pooled vector and time ids, Euler."""
    clip_text_folder(folder / "text_encoder", tokenizer=folder / "tokenizer", seed=2)
    clip_text_folder(
        folder / "text_encoder_2",
        tokenizer=folder / "tokenizer_2",
        width=64,
        act="gelu",
        projection=48,
        pad_token="!",
        seed=3,
    )
    _unet(
        folder,
        cross_attention_dim=96,
        attention_head_dim=(4, 8),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=48 + 6 * 8,
    )
    _vae(folder, latent_channels=4, scaling_factor=0.13025, force_upcast=True)
    _scheduler(folder, "EulerDiscreteScheduler", steps_offset=1, timestep_spacing="leading")
    parts = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
    return _index(folder, "StableDiffusionXLPipeline", parts, force_zeros_for_empty_prompt=True)


def embedded_folder(folder: Path, *, pmg: Mapping[str, Any] | None = None) -> Path:
    """The embedded model: BERT text encoder, 128 px, v-prediction with zero-terminal SNR, DPM-Solver++."""
    bert_text_folder(folder / "text_encoder", tokenizer=folder / "tokenizer")
    _unet(folder, sample_size=16, latent_channels=8, cross_attention_dim=32, attention_head_dim=4)
    _vae(folder, latent_channels=8, scaling_factor=1.0, widths=(8, 8, 16, 16), mid_block_add_attention=False)
    _scheduler(
        folder,
        "DPMSolverMultistepScheduler",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
        solver_order=2,
    )
    settings = {"steps": 4, "guidance": 3.0, "max_tokens": 24} if pmg is None else dict(pmg)
    return _index(folder, "StableDiffusionPipeline", ("text_encoder", "tokenizer"), pmg=settings)


def _unet(folder: Path, *, sample_size: int = 8, latent_channels: int = 4, **options: Any) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(10)
    UNet2DConditionModel(
        sample_size=sample_size,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        **options,
    ).save_pretrained(folder / "unet")


def _vae(
    folder: Path, *, latent_channels: int, widths: tuple[int, ...] = (8, 8, 16, 16), **options: Any
) -> None:
    from diffusers import AutoencoderKL

    torch.manual_seed(11)
    AutoencoderKL(
        latent_channels=latent_channels,
        block_out_channels=widths,
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        sample_size=8 * 2 ** (len(widths) - 1),
        **options,
    ).save_pretrained(folder / "vae")


def _scheduler(folder: Path, name: str, **options: Any) -> None:
    import diffusers

    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    getattr(diffusers, name)(**betas, **options).save_pretrained(folder / "scheduler")


def _index(folder: Path, pipeline: str, text_parts: tuple[str, ...], **extra: Any) -> Path:
    classes = {
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
        "text_encoder_2": "CLIPTextModelWithProjection",
        "tokenizer_2": "CLIPTokenizer",
    }
    if "pmg" in extra:
        classes |= {"text_encoder": "BertModel", "tokenizer": "BertTokenizer"}
    scheduler = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())["_class_name"]
    index: dict[str, Any] = {
        "_class_name": pipeline,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", scheduler],
        **{part: ["transformers", classes[part]] for part in text_parts},
        **extra,
    }
    if pipeline == "StableDiffusionPipeline":
        index |= {"safety_checker": [None, None], "feature_extractor": [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
    return folder
