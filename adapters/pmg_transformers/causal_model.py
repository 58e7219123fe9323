"""Reading a causal language model and its tokenizer: a folder, a GGUF file, a hub id, or "pmg:NAME"."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_sdk.accelerator import choose_dtype
from pmg_sdk.errors import MissingExtra, ModelFolderError
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pmg_sdk.progress import Observer

__all__ = ["read_causal_model"]

_NEEDED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "sentencepiece.bpe.model")


def read_causal_model(
    model: str, *, device: str, dtype: str, observer: Observer | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model in evaluation mode on `device`, and its tokenizer.

    Raises:
        AssetError: a "pmg:NAME" that cannot be had.
        ModelFolderError: files are missing, damaged, or of another kind of model.
    """
    from pmg_sdk.assets import resolve_model

    place = Path(resolve_model(model, observer)).expanduser()
    chosen = choose_dtype(dtype, device, half="bfloat16")
    if place.suffix == ".gguf":
        read, tokenizer = _from_gguf(place, chosen)
    else:
        read, tokenizer = _from_folder(ModelFolder.locate(model, only=_NEEDED, observer=observer), chosen)
    return read.eval().to(device), tokenizer


def _from_folder(folder: ModelFolder, dtype: torch.dtype) -> tuple[Any, Any]:
    folder.require("config.json")
    folder.weights("model")
    folder.require(*_TOKENIZERS)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = folder.model(AutoModelForCausalLM, "causal language model", dtype=dtype)
    return model, folder.read(AutoTokenizer, "tokenizer")


def _from_gguf(path: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    folder, file = ModelFolder(path.parent), _require_gguf(path)
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    plain = GgufConfig(dequantize=True)
    model = folder.filled(
        AutoModelForCausalLM,
        f"{file} of a causal language model",
        dtype=dtype,
        gguf_file=file,
        quantization_config=plain,
    )
    return model, folder.read(AutoTokenizer, f"{file} with a tokenizer", gguf_file=file)


def _require_gguf(path: Path) -> str:
    if not path.is_file():
        raise ModelFolderError(f"a GGUF file was expected at {path}; there is none. Check the path.")
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtra("GGUF files are read with the package gguf: pip install 'pmg-sdk[image]'")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelFolderError(f"{path} does not begin like a GGUF file. Fetch it again.")
    return path.name
