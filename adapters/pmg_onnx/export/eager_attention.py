"""transformers' attention in plain products while a model is traced.

torch's fused attention is exported with a guard against rows in which everything is masked. Such rows do not
occur here, and the guard costs ONNX Runtime two passes over all attention weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["eager_attention"]


@contextmanager
def eager_attention(module: torch.nn.Module) -> Iterator[None]:
    """While the block runs; models of other libraries in `module` stay as they are."""
    models: list[Any] = [each for each in module.modules() if hasattr(each, "set_attn_implementation")]
    before = [each.config._attn_implementation for each in models]
    for model in models:
        model.set_attn_implementation("eager")
    try:
        yield
    finally:
        for model, kind in zip(models, before, strict=True):
            model.set_attn_implementation(kind)
