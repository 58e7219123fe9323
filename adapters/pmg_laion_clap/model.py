"""laion-clap's `CLAP` out of a local checkpoint and a local RoBERTa folder."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_laion_clap.checkpoint import read_checkpoint
from pmg_laion_clap.package import clap_module
from pmg_sdk.errors import ConfigError, ModelFolderError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["architecture_of", "read_clap"]

STAND_IN = {"width": 8, "heads": 1, "layers": 1, "vocab_size": 1, "model_type": "transformer"}
"""Of the text tower that is replaced: the smallest of the kind that asks no hub."""

COUNTERS = ("position_ids", "token_type_ids", "attn_mask")
"""Constants that some versions keep with the weights."""


def architecture_of(name: str) -> dict[str, Any]:
    """What laion-clap knows under a name such as "HTSAT-tiny".

    Raises:
        ConfigError: it knows no such; MissingExtra: laion-clap is not installed.
    """
    known: Mapping[str, Any] = clap_module().factory._MODEL_CONFIGS
    if name not in known:
        raise ConfigError(f"architecture: expected one of {', '.join(known)}; got {name!r}")
    return copy.deepcopy(known[name])


def read_clap(checkpoint: Path, text: Any, *, architecture: str, fused: bool) -> Any:
    """The model, filled with every tensor of the checkpoint.

    Args:
        text: the `RobertaConfig` of the text tower.
        fused: as the checkpoint was trained.

    Raises:
        ConfigError: laion-clap knows no such architecture.
        ModelFolderError: the checkpoint is missing, damaged, or of another model.
    """
    tensors = read_checkpoint(checkpoint)
    model = build_clap(text, architecture=architecture, fused=fused)
    own = model.state_dict()
    missing = [name for name in own if name not in tensors and not name.endswith(COUNTERS)]
    strange = [name for name in tensors if name not in own]
    other = [name for name in tensors if name in own and tensors[name].shape != own[name].shape]
    problems = (
        [f"no tensor {name}" for name in missing]
        + [f"an unknown tensor {name}" for name in strange]
        + [f"{name} of shape {tuple(tensors[name].shape)}, not {tuple(own[name].shape)}" for name in other]
    )
    if problems:
        more = f" and {len(problems) - 1} more such faults" if len(problems) > 1 else ""
        raise ModelFolderError(
            f"a checkpoint of laion-clap's {architecture}, fused={fused}, with the text tower of the given "
            f"folder was expected in {checkpoint}; it has {problems[0]}{more}. Name its architecture."
        )
    model.load_state_dict(tensors, strict=False)
    return model


def build_clap(text: Any, *, architecture: str, fused: bool) -> Any:
    """A `CLAP` of random weights, as laion-clap builds it, but that its text tower comes from no hub."""
    import torch
    from transformers import RobertaModel

    config = architecture_of(architecture)
    config["text_cfg"] |= STAND_IN
    fusion = {"enable_fusion": fused, "fusion_type": "aff_2d" if fused else "None"}
    model = clap_module().CLAP(**config, **fusion)
    del model.token_embedding, model.positional_embedding, model.ln_final
    width = model.joint_embed_shape
    model.text_branch_type = "roberta"
    model.text_branch = RobertaModel(text)
    model.text_projection = torch.nn.Sequential(
        torch.nn.Linear(text.hidden_size, width), torch.nn.ReLU(), torch.nn.Linear(width, width)
    )
    return model
