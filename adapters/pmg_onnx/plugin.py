"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]

_NEEDS = ("onnxruntime", "tokenizers")


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """The text encoder and the scorer "onnx", and the captioner "onnx-tags"."""
    return (
        AdapterSpec(
            name="onnx",
            role="text_encoder",
            factory="pmg_onnx.text_encoder:OnnxTextEncoder",
            capabilities=frozenset({"loading"}),
            extra="onnx",
            requires=_NEEDS,
            description="A text encoder that pmg export made, without torch",
        ),
        AdapterSpec(
            name="onnx",
            role="scorer",
            factory="pmg_onnx.scorer:OnnxScorer",
            capabilities=frozenset({"loading"}),
            extra="onnx",
            requires=_NEEDS,
            description="Image-text or sound-text similarity by a scorer that pmg export made, without torch",
        ),
        AdapterSpec(
            name="onnx-tags",
            role="captioner",
            factory="pmg_onnx.tags:OnnxTagCaptioner",
            capabilities=frozenset({"loading"}),
            extra="onnx",
            requires=_NEEDS,
            description="Tags of images or sounds by a scorer that pmg export made, without torch",
        ),
    )
