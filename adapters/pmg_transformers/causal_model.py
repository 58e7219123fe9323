"""Reading a causal language model and its tokenizer: a folder, a GGUF file, a hub id, or "pmg:NAME"."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import MissingExtra, ModelFolderError
from pmg_sdk.loading import loading
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
    if place.suffix == ".gguf":
        return _read(place.parent, _dtype(dtype, device), device, gguf=_require_gguf(place))
    folder = ModelFolder.locate(model, only=_NEEDED, observer=observer)
    folder.require("config.json")
    folder.weights("model")
    folder.require(*_TOKENIZERS)
    return _read(folder.path, _dtype(dtype, device), device)


def _require_gguf(path: Path) -> str:
    if not path.is_file():
        raise ModelFolderError(f"a GGUF file was expected at {path}; there is none. Check the path.")
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtra("GGUF files are read with the package gguf: pip install 'pmg-sdk[image]'")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelFolderError(f"{path} does not begin like a GGUF file. Fetch it again.")
    return path.name


def _dtype(name: str, device: str) -> torch.dtype:
    import torch

    if name == "auto":
        # Two or four bytes make no difference to keywords, but half precision is slow on CPUs.
        return torch.float32 if device == "cpu" else torch.bfloat16
    chosen: torch.dtype = getattr(torch, name)
    return chosen


def _read(
    folder: Path, dtype: torch.dtype, device: str, gguf: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    options: dict[str, Any] = (
        {"gguf_file": gguf} if gguf else {"use_safetensors": True, "local_files_only": True}
    )
    tokenizer_options = {"gguf_file": gguf} if gguf else {"local_files_only": True}
    if gguf:
        options["quantization_config"] = GgufConfig(dequantize=True)
    try:
        with loading():
            tokenizer = AutoTokenizer.from_pretrained(str(folder), **tokenizer_options)
            model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, **options)
    except Exception as error:  # transformers, tokenizers, safetensors and gguf each have errors of their own
        what = f"{folder}/{gguf}" if gguf else str(folder)
        raise ModelFolderError(
            f"a causal language model was expected in {what}; it cannot be loaded "
            f"({type(error).__name__}: {_first_line(error)}). Complete or replace it, or name another model."
        ) from error
    model = model.eval().to(device)
    return model, tokenizer


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
