"""The tensors of a laion-clap checkpoint, without running what a pickle may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import ModelFolderError

if TYPE_CHECKING:
    import torch

__all__ = ["read_checkpoint"]

LEFT_OUT = "text_branch.embeddings.position_ids"
"""A constant that transformers no longer keeps with the weights."""


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Tensor by name, as `CLAP` names them.

    A `.safetensors` file holds nothing but tensors. A `.pt` file is a pickle; it is read by torch's
    restricted reader, which makes tensors, containers and numpy's numbers (the published checkpoints
    keep the best metric so far as one), and refuses everything else before it runs.

    Raises:
        ModelFolderError: there is no such file, or it is damaged, or holds something else.
    """
    if not path.is_file():
        raise ModelFolderError(
            f"a laion-clap checkpoint was expected at {path}; there is no such file. Check the path; "
            "published ones are 630k-audioset-best.pt and its neighbours."
        )
    try:
        found = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    except Exception as error:  # torch, pickle, zipfile and safetensors fail in many ways
        raise ModelFolderError(
            f"a laion-clap checkpoint of tensors was expected in {path}; it cannot be read "
            f"({type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}). Download it again; "
            "if you trust it, convert it to safetensors."
        ) from error
    tensors = found.get("state_dict", found)
    named = {str(name).removeprefix("module."): tensor for name, tensor in tensors.items()}
    named.pop(LEFT_OUT, None)
    return named


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors.torch import load_file

    return load_file(path)


def _pickled(path: Path) -> Mapping[str, Any]:
    import numpy as np
    import torch

    scalar = np.float64(0).__reduce__()[0]
    kinds = [type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "?")]
    allowed: list[Any] = [  # numpy 2 has the function under another name; checkpoints have either
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *kinds,
    ]
    with torch.serialization.safe_globals(allowed):
        found = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, Mapping):
        raise TypeError(f"a mapping was expected; got {type(found).__name__}")
    return found
