"""Tiny text encoders of the CLIP, BERT, T5 and CLAP families, with their tokenizers."""

from __future__ import annotations

from pathlib import Path

import torch

from tiny_models.tokenizers import bert_tokenizer, clip_tokenizer, roberta_tokenizer, t5_tokenizer

__all__ = ["bert_text_folder", "clap_text_folder", "clip_text_folder", "t5_text_folder"]


def clip_text_folder(
    folder: Path,
    *,
    tokenizer: Path | None = None,
    width: int = 32,
    layers: int = 3,
    act: str = "quick_gelu",
    projection: int | None = None,
    pad_token: str = "<|endoftext|>",
    seed: int = 0,
) -> Path:
    """A CLIP text encoder, with a pooled projection where `projection` gives its width."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    size = clip_tokenizer(tokenizer or folder, pad_token=pad_token)
    config = CLIPTextConfig(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=77,
        hidden_act=act,
        projection_dim=projection or width,
        bos_token_id=size - 2,
        eos_token_id=size - 1,
        pad_token_id=size - 1,
    )
    torch.manual_seed(seed)
    model = CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)
    model.save_pretrained(folder)
    return folder


def bert_text_folder(folder: Path, *, tokenizer: Path | None = None, width: int = 32, seed: int = 0) -> Path:
    """A BERT encoder, as all-MiniLM is one."""
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=bert_tokenizer(tokenizer or folder),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
    )
    torch.manual_seed(seed)
    BertModel(config).save_pretrained(folder)
    return folder


def clap_text_folder(folder: Path, *, tokenizer: Path | None = None, width: int = 32, seed: int = 0) -> Path:
    """CLAP's text tower, as AudioLDM has it."""
    from transformers import ClapTextConfig, ClapTextModelWithProjection

    config = ClapTextConfig(
        vocab_size=roberta_tokenizer(tokenizer or folder),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=66,
        projection_dim=16,
    )
    torch.manual_seed(seed)
    ClapTextModelWithProjection(config).save_pretrained(folder)
    return folder


def t5_text_folder(folder: Path, *, tokenizer: Path | None = None, width: int = 32, seed: int = 0) -> Path:
    """The encoder half of a T5."""
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=t5_tokenizer(tokenizer or folder),
        d_model=width,
        d_kv=8,
        d_ff=2 * width,
        num_layers=2,
        num_heads=4,
    )
    torch.manual_seed(seed)
    T5EncoderModel(config).save_pretrained(folder)
    return folder
