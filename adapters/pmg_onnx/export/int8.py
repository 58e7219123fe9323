"""Graphs in eight bits: products with weights, and tables of embeddings.

Weights have one scale for every column. Activations are quantised as they come, one scale for every row
(token): what ONNX Runtime's own dynamic quantisation does for a whole batch at once makes a text's
embedding depend on the other texts of its batch, and loses more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.missing import expect

__all__ = ["to_int8"]

LEAST_VALUES = 1024
"""Weights below this many values stay: there is nothing to gain."""


def to_int8(model: Any) -> None:
    """Quantise `model`, an onnx ModelProto in float32, in place; inputs and outputs stay as they are."""
    _Rewriting(model).run()


class _Rewriting:
    def __init__(self, model: Any) -> None:
        self._onnx = expect("onnx", extra="export")
        self._model = model
        self._graph = model.graph
        self._weights = {each.name: each for each in model.graph.initializer}
        self._nodes: list[Any] = []
        self._added: dict[str, Any] = {}
        self._rows: dict[tuple[str, int], str] = {}

    def run(self) -> None:
        for node in self._graph.node:
            if node.op_type in ("MatMul", "Gemm") and self._is_product(node):
                self._product(node)
            elif node.op_type == "Gather" and self._is_table(node):
                self._table(node)
            else:
                self._nodes.append(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        kept = [each for each in self._graph.initializer if each.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend([*kept, *self._added.values()])
        del self._graph.value_info[:]  # shapes of what is no longer there
        if all(each.domain != "com.microsoft" for each in self._model.opset_import):
            self._model.opset_import.append(self._onnx.helper.make_opsetid("com.microsoft", 1))

    def _is_product(self, node: Any) -> bool:
        options = {each.name: self._onnx.helper.get_attribute_value(each) for each in node.attribute}
        plain = options.get("alpha", 1.0) == 1.0 and options.get("beta", 1.0) == 1.0
        return plain and not options.get("transA") and self._is_matrix(node.input[1])

    def _is_table(self, node: Any) -> bool:
        axis = next((each.i for each in node.attribute if each.name == "axis"), 0)
        return axis == 0 and self._is_matrix(node.input[0])

    def _is_matrix(self, name: str) -> bool:
        weight = self._weights.get(name)
        if weight is None or weight.data_type != self._onnx.TensorProto.FLOAT:
            return False
        return len(weight.dims) == 2 and int(np.prod(weight.dims)) >= LEAST_VALUES

    def _product(self, node: Any) -> None:
        """y = (round(x / s_row) @ w_int8) * s_column * s_row, with the rows of x as they lie in memory."""
        x, name, y = node.input[0], node.input[1], node.output[0]
        transposed = any(each.name == "transB" and each.i for each in node.attribute)
        weight = self._onnx.numpy_helper.to_array(self._weights[name])
        weight = weight.T if transposed else weight
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / 127
        suffix = "_transposed" if transposed else ""
        matrix = self._constant(f"{name}{suffix}_int8", np.rint(weight / scale).astype(np.int8))
        columns = self._constant(f"{name}{suffix}_scale", scale.astype(np.float32))
        rows = self._quantised_rows(x, weight.shape[0])
        one, middle = self._constant("pmg_one", np.float32(1)), self._constant("pmg_128", np.uint8(128))
        last = self._constant(f"pmg_columns_{weight.shape[1]}", np.array([weight.shape[1]], np.int64))
        self._add(
            "MatMulIntegerToFloat",
            [f"{rows}_uint8", matrix, one, columns, middle],
            f"{y}_scaled",
            domain="com.microsoft",
        )
        self._add("Mul", [f"{y}_scaled", f"{rows}_scale"], f"{y}_rows")
        bias = list(node.input[2:]) if node.op_type == "Gemm" else []
        if bias:
            self._add("Add", [f"{y}_rows", bias[0]], f"{y}_biased")
        self._add("Concat", [f"{rows}_shape", last], f"{y}_shape", axis=0)
        self._add("Reshape", [f"{y}_biased" if bias else f"{y}_rows", f"{y}_shape"], y)

    def _quantised_rows(self, x: str, width: int) -> str:
        """Rows of x as uint8 around 128, their scales and the shape of x before its last axis; made once."""
        if (x, width) in self._rows:
            return self._rows[x, width]
        r = self._rows[x, width] = f"{x}_rows_{width}"
        flat = self._constant(f"pmg_rows_of_{width}", np.array([-1, width], np.int64))
        axis = self._constant("pmg_axis_1", np.array([1], np.int64))
        self._add("Shape", [x], f"{r}_shape", start=0, end=-1)
        self._add("Reshape", [x, flat], r)
        self._add("Abs", [r], f"{r}_abs")
        self._add("ReduceMax", [f"{r}_abs", axis], f"{r}_max", keepdims=1)
        self._add("Max", [f"{r}_max", self._constant("pmg_tiny", np.float32(1e-12))], f"{r}_positive")
        self._add("Mul", [f"{r}_positive", self._constant("pmg_1_127", np.float32(1 / 127))], f"{r}_scale")
        self._add("Squeeze", [f"{r}_scale", axis], f"{r}_scales")
        self._add("Shape", [f"{r}_scales"], f"{r}_count")
        self._add(
            "Expand", [self._constant("pmg_128s", np.array([128], np.uint8)), f"{r}_count"], f"{r}_zeros"
        )
        self._add("QuantizeLinear", [r, f"{r}_scales", f"{r}_zeros"], f"{r}_uint8", axis=0)
        return r

    def _table(self, node: Any) -> None:
        """Rows of a table with one scale for every row."""
        name, indices, y = node.input[0], node.input[1], node.output[0]
        table = self._onnx.numpy_helper.to_array(self._weights[name])
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
        rows = self._constant(f"{name}_rows_int8", np.rint(table / scale).astype(np.int8))
        scales = self._constant(f"{name}_rows_scale", scale.astype(np.float32))
        self._add("Gather", [rows, indices], f"{y}_int8", axis=0)
        self._add("Gather", [scales, indices], f"{y}_scale", axis=0)
        self._add("Cast", [f"{y}_int8"], f"{y}_float", to=int(self._onnx.TensorProto.FLOAT))
        self._add("Mul", [f"{y}_float", f"{y}_scale"], y)

    def _add(self, kind: str, inputs: list[str], output: str, **options: Any) -> None:
        self._nodes.append(
            self._onnx.helper.make_node(kind, inputs, [output], name=f"{output}_{kind}", **options)
        )

    def _constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        if name not in self._added:
            self._added[name] = self._onnx.numpy_helper.from_array(np.asarray(value), name)
        return name
