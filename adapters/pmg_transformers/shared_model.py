"""One copy of a language model in memory, however many adapters use it.

The LLM that writes keywords and the one that soft preference embeddings come from are the same in the paper;
here two adapters that name the same model on the same device hold the same weights.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pmg_sdk.accelerator import choose_dtype
from pmg_transformers.causal_model import read_causal_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pmg_sdk.progress import Observer

__all__ = ["SharedModel", "shared_causal_model"]


@dataclass(frozen=True, eq=False)
class SharedModel:
    """A frozen causal language model with its tokenizer.

    Attributes:
        lock: held by whoever uses the tokenizer: fast ones refuse two threads at once.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    lock: threading.RLock = field(default_factory=threading.RLock)


_loaded: weakref.WeakValueDictionary[tuple[str, str, str], SharedModel] = weakref.WeakValueDictionary()
_reading = threading.Lock()


def shared_causal_model(
    model: str, *, device: str, dtype: str, observer: Observer | None = None
) -> SharedModel:
    """The model of that name, read unless somebody holds it already; it goes when its last holder does.

    Raises:
        ModelFolderError, AssetError, ConfigError: see `read_causal_model`.
    """
    from pmg_sdk.assets import resolve_model

    key = (str(resolve_model(model, observer)), device, str(choose_dtype(dtype, device, half="bfloat16")))
    with _reading:
        found = _loaded.get(key)
        if found is None:
            read, tokenizer = read_causal_model(model, device=device, dtype=dtype, observer=observer)
            found = SharedModel(read.requires_grad_(False), tokenizer)
            _loaded[key] = found
        return found
