"""Tiny image-text dual encoders: open_clip folders with a native or a BERT text tower, and CLIP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from tiny_models.tokenizers import bert_tokenizer, clip_tokenizer

__all__ = ["clip_folder", "emoji_clip_folder", "open_clip_folder"]

PREPROCESS = {
    "mean": [0.5] * 3,
    "std": [0.5] * 3,
    "interpolation": "bicubic",
    "resize_mode": "longest",
    "fill_color": 255,
}


def emoji_clip_folder(folder: Path, *, seed: int = 0) -> Path:
    """As the embedded dual encoder: a timm ConvNeXt, a BERT with an MLP, half precision, hub names."""
    from transformers import BertConfig

    config = BertConfig(
        vocab_size=bert_tokenizer(folder),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
    )
    config.save_pretrained(folder)
    hub_name = "sentence-transformers/all-MiniLM-L6-v2"
    model_cfg: dict[str, Any] = {
        "embed_dim": 16,
        "vision_cfg": {
            "timm_model_name": "test_convnext",
            "timm_pool": "",
            "timm_proj": "linear",
            "image_size": 32,
        },
        "text_cfg": {
            "hf_model_name": hub_name,
            "hf_tokenizer_name": hub_name,
            "hf_proj_type": "mlp",
            "hf_pooler_type": "mean_pooler",
            "context_length": 16,
        },
    }
    text = {**model_cfg["text_cfg"], "hf_model_name": str(folder), "hf_model_pretrained": False}
    return _filled(folder, model_cfg, seed, text_cfg=text)


def open_clip_folder(folder: Path, *, seed: int = 0, **model_cfg: Any) -> Path:
    """open_clip's own towers, as the classic CLIP has them; its tokenizer comes with the package."""
    towers: dict[str, Any] = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
        "text_cfg": {"context_length": 20, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    return _filled(folder, {**towers, **model_cfg}, seed)


def _filled(folder: Path, model_cfg: dict[str, Any], seed: int, **options: Any) -> Path:
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    settings = {"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(settings), encoding="utf-8")
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", pretrained_text=False, **options)
    weights = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def clip_folder(folder: Path, *, seed: int = 0) -> Path:
    """transformers' CLIPModel with its processor: 32 px, 2 layers a tower, embeddings of width 16."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    size = clip_tokenizer(folder, max_tokens=20)
    towers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = CLIPConfig(
        text_config={
            **towers,
            "vocab_size": size,
            "max_position_embeddings": 20,
            "bos_token_id": size - 2,
            "eos_token_id": size - 1,
            "pad_token_id": size - 1,
        },
        vision_config={**towers, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    torch.manual_seed(seed)
    CLIPModel(config).save_pretrained(folder)
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(images, CLIPTokenizer.from_pretrained(folder)).save_pretrained(folder)
    return folder
