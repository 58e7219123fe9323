"""Tiny CLAP folders: unfused and fused, with the vocabulary of RoBERTa or of BERT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from tiny_models.tokenizers import bert_tokenizer, roberta_tokenizer

__all__ = ["RATE", "TAGS", "clap_folder", "tagged_clap_folder"]

RATE = 16000
"""Hz; a window has one second."""

TOKENS = 24

TAGS = {"thing": ["dog", "cat", "soccer ball", "animal"], "mood": ["happy", "sad", "tired"]}


def clap_folder(
    folder: Path,
    *,
    fused: bool = False,
    words: Literal["roberta", "bert"] = "roberta",
    padding: str = "repeatpad",
    seed: int = 0,
    audio: Mapping[str, Any] | None = None,
    heard: Mapping[str, Any] | None = None,
) -> Path:
    """transformers' ClapModel with its processor: one second, 16 bands, embeddings of width 16.

    Args:
        audio, heard: settings of the audio tower and of the feature extractor in place of those.
    """
    from transformers import (
        AutoTokenizer,
        ClapConfig,
        ClapFeatureExtractor,
        ClapModel,
        ClapProcessor,
    )

    make = {"roberta": roberta_tokenizer, "bert": bert_tokenizer}[words]
    size = make(folder, max_tokens=TOKENS)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    config = ClapConfig(
        text_config={
            "vocab_size": size,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": TOKENS + tokenizer.pad_token_id + 1,
            "pad_token_id": tokenizer.pad_token_id,
        },
        audio_config={
            "spec_size": 64,
            "num_mel_bins": 16,
            "window_size": 4,
            "patch_embeds_hidden_size": 8,
            "depths": [2, 2],
            "num_attention_heads": [2, 4],
            "hidden_size": 16,
            "enable_fusion": fused,
            "fusion_type": "aff_2d" if fused else None,
            "aff_block_r": 2,
            **(audio or {}),
        },
        projection_dim=16,
    )
    torch.manual_seed(seed)
    model = ClapModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and "relative_position" not in name:
                parameter.normal_(std=0.2)  # as made, every sound is the same to 1e-3
    norm = model.audio_model.audio_encoder.batch_norm  # learned where log-mel spectrograms lie
    norm.running_mean.fill_(-40.0)
    norm.running_var.fill_(400.0)
    model.save_pretrained(folder)
    settings: dict[str, Any] = {
        "feature_size": 16,
        "sampling_rate": RATE,
        "hop_length": 100,
        "fft_window_size": 256,
        "max_length_s": 1,
        "frequency_min": 50,
        "frequency_max": 7000,
        "truncation": "fusion" if fused else "rand_trunc",
        "padding": padding,
    }
    extractor = ClapFeatureExtractor(**settings | dict(heard or {}))
    ClapProcessor(extractor, tokenizer).save_pretrained(folder)
    return folder


def tagged_clap_folder(folder: Path) -> Path:
    """A fused one with BERT's words, and a vocabulary to tag sounds with."""
    clap_folder(folder, fused=True, words="bert")
    (folder / "tags.json").write_text(json.dumps({"tags": TAGS}), encoding="utf-8")
    return folder
