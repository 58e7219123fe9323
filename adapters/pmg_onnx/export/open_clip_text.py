"""The text tower of an open_clip folder as a folder of transformers.

It is a CLIP, BERT or T5 text encoder in another file layout. Written in the usual layout it has the text
space of the usual layout: that of Stable Diffusion's encoder where both came from the same checkpoint.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pmg_open_clip.dual_encoder import DualEncoder, load_dual_encoder
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.loading import loading

__all__ = ["CONFIG", "as_transformers", "weights", "write_clip_tokenizer"]

CONFIG = "open_clip_config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.pth")


def as_transformers(model: str, folder: Path) -> int:
    """Write the text tower of the open_clip folder `model` and its tokenizer into `folder`.

    Returns:
        The longest text in tokens.

    Raises:
        ModelFolderError: the tower is none of those kinds.
    """
    from open_clip.hf_model import HFTextEncoder

    dual = load_dual_encoder(model, device="cpu")
    tower = getattr(dual.model, "text", dual.model)
    with loading():
        if isinstance(tower, HFTextEncoder):
            tower.transformer.float().save_pretrained(folder)
            dual.tokenizer.tokenizer.save_pretrained(folder)
        else:
            _write_clip(tower, dual, folder)
    return int(dual.tokenizer.context_length)


def weights(folder: Path) -> tuple[Path, ...]:
    """The files that an open_clip folder keeps its weights in."""
    return tuple(sorted(each for kind in WEIGHTS for each in folder.glob(kind)))


def _write_clip(tower: Any, dual: DualEncoder, folder: Path) -> None:
    import torch
    from open_clip.tokenizer import SimpleTokenizer
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    blocks = tower.transformer.resblocks
    usual = (
        isinstance(dual.tokenizer, SimpleTokenizer)
        and getattr(tower, "attn_mask", None) is not None
        and getattr(tower, "cls_emb", None) is None
        and isinstance(getattr(tower, "text_projection", None), torch.Tensor)
        and all(hasattr(block, "mlp") and hasattr(block.attn, "in_proj_weight") for block in blocks)
    )
    if not usual:
        raise ModelFolderError(
            f"a text tower as CLIP has it was expected in {dual.source.folder}: causal, with open_clip's own "
            "tokenizer; this one is built otherwise"
        )
    tokenizer = dual.tokenizer
    vocabulary = tower.token_embedding.num_embeddings
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=tower.positional_embedding.shape[1],
        intermediate_size=blocks[0].mlp.c_fc.out_features,
        num_hidden_layers=len(blocks),
        num_attention_heads=blocks[0].attn.num_heads,
        max_position_embeddings=tower.positional_embedding.shape[0],
        hidden_act="quick_gelu" if type(blocks[0].mlp.gelu).__name__ == "QuickGELU" else "gelu",
        projection_dim=tower.text_projection.shape[1],
        bos_token_id=tokenizer.sot_token_id,
        eos_token_id=tokenizer.eot_token_id,
        pad_token_id=0,
    )
    model = CLIPTextModelWithProjection(config)
    values = {
        "embeddings.token_embedding.weight": tower.token_embedding.weight,
        "embeddings.position_embedding.weight": tower.positional_embedding,
        "final_layer_norm.weight": tower.ln_final.weight,
        "final_layer_norm.bias": tower.ln_final.bias,
    }
    for index, block in enumerate(blocks):
        here = f"encoder.layers.{index}"
        for kind in ("weight", "bias"):
            joined = getattr(block.attn, f"in_proj_{kind}").chunk(3)
            for name, part in zip(("q_proj", "k_proj", "v_proj"), joined, strict=True):
                values[f"{here}.self_attn.{name}.{kind}"] = part
            values[f"{here}.self_attn.out_proj.{kind}"] = getattr(block.attn.out_proj, kind)
            values[f"{here}.layer_norm1.{kind}"] = getattr(block.ln_1, kind)
            values[f"{here}.layer_norm2.{kind}"] = getattr(block.ln_2, kind)
            values[f"{here}.mlp.fc1.{kind}"] = getattr(block.mlp.c_fc, kind)
            values[f"{here}.mlp.fc2.{kind}"] = getattr(block.mlp.c_proj, kind)
    values = {f"text_model.{name}": value.detach().float() for name, value in values.items()}
    values["text_projection.weight"] = tower.text_projection.detach().float().T
    model.load_state_dict({name: value.contiguous() for name, value in values.items()})
    model.save_pretrained(folder)
    write_clip_tokenizer(tokenizer, folder)


def write_clip_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write open_clip's own tokenizer into `folder` as transformers' CLIPTokenizer: the same ids."""
    from transformers import CLIPTokenizer

    CLIPTokenizer(
        vocab={_usual_name(entry): index for entry, index in tokenizer.encoder.items()},
        merges=[pair for pair, _ in sorted(tokenizer.bpe_ranks.items(), key=lambda each: each[1])],
        pad_token="!",
        model_max_length=int(tokenizer.context_length),
    ).save_pretrained(folder)


def _usual_name(entry: str) -> str:
    return {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}.get(entry, entry)
