"""The frozen text encoder of the generator: last hidden states of all-MiniLM-L6-v2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

__all__ = ["MAX_TOKENS", "Text"]

MAX_TOKENS = 20


class Text:
    """Token ids on the CPU, embeddings on the training device.

    Args:
        folder: a transformers folder with `config.json`, `model.safetensors`, `tokenizer.json`.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        from transformers import BertModel

        self.tokenizer = tokenizer(folder)
        model = BertModel.from_pretrained(folder, add_pooling_layer=False, torch_dtype=dtype)
        self.model = model.eval().requires_grad_(False).to(device)
        self.device = device

    def ids(self, texts: Sequence[str]) -> np.ndarray:
        """int16 (n, MAX_TOKENS), 0 is padding; special tokens included."""
        return token_ids(self.tokenizer, texts)

    @torch.no_grad()
    def embed(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (n, tokens) to hidden states (n, tokens, 384), zero at padding, and mask (n, tokens)."""
        mask = ids > 0
        hidden = self.model(input_ids=ids.long(), attention_mask=mask.long()).last_hidden_state
        return hidden * mask[..., None].to(hidden.dtype), mask


def tokenizer(folder: Path) -> Tokenizer:
    """The folder's tokenizer, cutting and padding to MAX_TOKENS."""
    loaded = Tokenizer.from_file(str(folder / "tokenizer.json"))
    loaded.enable_truncation(MAX_TOKENS)
    loaded.enable_padding(length=MAX_TOKENS)
    return loaded


def token_ids(loaded: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """int16 (n, MAX_TOKENS), 0 is padding; special tokens included."""
    encoded = loaded.encode_batch_fast(list(texts))
    return np.array([entry.ids for entry in encoded], dtype=np.int16).reshape(-1, MAX_TOKENS)
