"""Graphs in half precision: weights and products in float16, what is delicate in float32."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pmg_onnx.missing import expect

__all__ = ["to_half"]

DELICATE = (
    "LayerNormalization",
    "Softmax",
    "Pow",
    "ReduceMean",
    "ReduceL2",
    "ReduceSum",
    "Reciprocal",
    "Sqrt",
    "Add",
    "Where",
    "IsNaN",
    "Range",
)
"""Kept in float32: norms and sums over many values, the residual stream (T5's overflows float16), masks."""


def to_half(model: Any) -> Any:
    """`model` (an onnx ModelProto) with float16 weights; its inputs and outputs stay as they are."""
    float16 = expect("onnxruntime.transformers.float16", extra="export")
    onnx = expect("onnx", extra="export")
    return float16.convert_float_to_float16(
        model,
        keep_io_types=True,
        disable_shape_infer=True,
        op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST, *DELICATE],
        node_block_list=_counting(model.graph.node, onnx.TensorProto),
    )


def _counting(nodes: Iterable[Any], types: Any) -> list[str]:
    """Names of the nodes whose numbers become integers: the buckets of T5's positions, by a logarithm."""
    nodes = list(nodes)
    makers = {output: node for node in nodes for output in node.output}
    integers = (types.INT32, types.INT64)
    left = [
        n
        for n in nodes
        if n.op_type == "Cast" and any(a.name == "to" and a.i in integers for a in n.attribute)
    ]
    found: dict[str, None] = {}
    while left:
        node = left.pop()
        if node.name not in found:
            found[node.name] = None
            left += [makers[name] for name in node.input if name in makers]
    return list(found)
