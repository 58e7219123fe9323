"""Graphs in half precision: weights, and products with them, in float16.

What else there is stays in float32: norms and softmaxes, the sum that runs through all layers (T5's
overflows float16), and the logarithm that T5 finds the bucket of a distance by. A CPU, which has no such
products, computes in float32 with the rounded weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pmg_onnx.export.rewriting import Rewriting

__all__ = ["to_half"]


def to_half(model: Any) -> None:
    """Rewrite `model`, an onnx ModelProto in float32, in place; inputs and outputs stay as they are."""
    _Half(model).run()


class _Half(Rewriting):
    def product(self, node: Any) -> None:
        """y = float32(float16(x) w)."""
        y = node.output[0]
        types = self.onnx.TensorProto
        x = self.add("Cast", [node.input[0]], f"{y}_of_half", to=int(types.FLOAT16))
        rest = [self._half(name) for name in node.input[1:]]
        options = self.options(node)
        product = self.add(node.op_type, [x, *rest], f"{y}_half", **options)
        self.add("Cast", [product], y, to=int(types.FLOAT))

    def table(self, node: Any) -> None:
        y = node.output[0]
        rows = self.add("Gather", [self._half(node.input[0]), node.input[1]], f"{y}_half", axis=0)
        self.add("Cast", [rows], y, to=int(self.onnx.TensorProto.FLOAT))

    def _half(self, name: str) -> str:
        return self.constant(f"{name}_half", self.weight(name).astype(np.float16))
