"""The text encoder of Stable Diffusion 1.5 in its true size, with random weights: 123 M parameters."""

from __future__ import annotations

from pathlib import Path

__all__ = ["clip_text_folder"]


def clip_text_folder(folder: Path) -> Path:
    """Write it, with CLIP's own tokenizer, and return the folder; equal calls give equal weights."""
    import torch
    from open_clip.tokenizer import SimpleTokenizer
    from transformers import CLIPTextConfig, CLIPTextModel

    from pmg_onnx.export.open_clip_text import write_clip_tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=77,
        hidden_act="quick_gelu",
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )
    CLIPTextModel(config).save_pretrained(folder)
    write_clip_tokenizer(SimpleTokenizer(context_length=77), folder)
    return folder
