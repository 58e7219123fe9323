"""A small CLAP: transformers' `ClapModel` whose text tower holds all-MiniLM-L6-v2.

RoBERTa, CLAP's text tower, differs from BERT in where positions begin and in having one token type;
with the tables laid out accordingly the same weights give the same hidden states. Only what stands
behind them, the pooler and the projection, is trained, so the text tower ships without MiniLM itself.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from transformers import ClapConfig, ClapModel

from recipes.emoji.text import tokenizer as bert_tokenizer

__all__ = [
    "AUDIO",
    "MAX_TOKENS",
    "WIDTH",
    "embed_texts",
    "make_clap",
    "project_texts",
    "read_texts",
    "text_ids",
    "trained_names",
]

WIDTH = 256
"""Of the joint space."""
MAX_TOKENS = 32

_TEXT = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": MAX_TOKENS + 2,
    "pad_token_id": 0,
    "bos_token_id": 101,
    "eos_token_id": 102,
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
AUDIO = {
    "spec_size": 128,
    "num_mel_bins": 64,
    "patch_size": 8,
    "patch_stride": [8, 8],
    "patch_embeds_hidden_size": 80,
    "depths": [2, 4],
    "num_attention_heads": [2, 4],
    "num_hidden_layers": 2,
    "hidden_size": 160,
    "mlp_ratio": 3.0,
    "window_size": 8,
    "drop_path_rate": 0.05,
    "hidden_dropout_prob": 0.0,
}


def make_clap(minilm: Path) -> ClapModel:
    """With MiniLM's weights in place, everything else random.

    Args:
        minilm: a transformers folder of all-MiniLM-L6-v2.
    """
    model = ClapModel(ClapConfig(text_config=_TEXT, audio_config=AUDIO, projection_dim=WIDTH))
    stored = {name: value.float() for name, value in load_file(minilm / "model.safetensors").items()}
    stored = {name: value for name, value in stored.items() if "pooler" not in name}
    stored.pop("embeddings.position_ids", None)
    positions = stored.pop("embeddings.position_embeddings.weight")
    types = stored.pop("embeddings.token_type_embeddings.weight")
    text = model.text_model
    missing, unexpected = text.load_state_dict(stored, strict=False)
    assert not unexpected, unexpected
    assert all("pooler" in name or "position" in name or "token_type" in name for name in missing), missing
    with torch.no_grad():
        # Positions begin behind the padding's, which is number 0.
        text.embeddings.position_embeddings.weight.zero_()
        text.embeddings.position_embeddings.weight[1:] = positions[: MAX_TOKENS + 1]
        text.embeddings.token_type_embeddings.weight[:] = types[:1]
    text.requires_grad_(False)
    text.pooler.requires_grad_(True)
    return model


def trained_names(model: ClapModel) -> list[str]:
    """Names of the tensors that are not MiniLM's own: what ships."""
    own = (
        "text_model.encoder.",
        "text_model.embeddings.word_embeddings.",
        "text_model.embeddings.LayerNorm.",
    )
    return [name for name in model.state_dict() if not name.startswith(own)]


def text_ids(minilm: Path, texts: list[str]) -> Tensor:
    """int64 (n, MAX_TOKENS), 0 is padding."""
    loaded = bert_tokenizer(minilm)
    loaded.enable_truncation(MAX_TOKENS)
    loaded.enable_padding(length=MAX_TOKENS)
    return torch.tensor([entry.ids for entry in loaded.encode_batch(texts)], dtype=torch.long)


@torch.no_grad()
def read_texts(model: ClapModel, ids: Tensor, batch: int = 256) -> Tensor:
    """What MiniLM, which is not trained, makes of texts: hidden states of their first tokens (n, 1, 384)."""
    return torch.cat(
        [
            model.text_model(part, attention_mask=(part > 0).long()).last_hidden_state[:, :1]
            for part in ids.split(batch)
        ]
    )


def project_texts(model: ClapModel, hidden: Tensor) -> Tensor:
    """Unit rows (n, WIDTH) of `read_texts`' rows, through the trained part of the text tower."""
    return F.normalize(model.text_projection(model.text_model.pooler(hidden)), dim=-1)


@torch.no_grad()
def embed_texts(model: ClapModel, ids: Tensor, batch: int = 1024) -> Tensor:
    """Unit rows (n, WIDTH)."""
    return torch.cat(
        [
            model.get_text_features(part, attention_mask=(part > 0).long()).pooler_output
            for part in ids.split(batch)
        ]
    )
