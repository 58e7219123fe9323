"""Graphs whose weights become smaller: products with weights and tables of embeddings, found and replaced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.missing import expect

__all__ = ["Rewriting"]

LEAST_VALUES = 1024
"""Weights below this many values stay: there is nothing to gain."""


class Rewriting(ABC):
    """One pass over an onnx ModelProto in float32, in place; its inputs and outputs stay as they are."""

    def __init__(self, model: Any) -> None:
        self.onnx = expect("onnx", extra="export")
        self._model = model
        self._graph = model.graph
        self._weights = {each.name: each for each in model.graph.initializer}
        self._nodes: list[Any] = []
        self._added: dict[str, Any] = {}

    def run(self) -> None:
        """Rewrite the model."""
        for node in self._graph.node:
            if self.is_product(node):
                self.product(node)
            elif node.op_type == "Gather" and self._is_table(node):
                self.table(node)
            else:
                self.keep(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        kept = [each for each in self._graph.initializer if each.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend([*kept, *self._added.values()])
        del self._graph.value_info[:]  # shapes of what is no longer there
        domains = {each.domain for each in self._model.opset_import}
        for domain in sorted({node.domain for node in self._nodes} - domains):
            self._model.opset_import.append(self.onnx.helper.make_opsetid(domain, 1))

    def is_product(self, node: Any) -> bool:
        """Whether a node multiplies or convolves with a weight."""
        return node.op_type in ("MatMul", "Gemm", "Conv") and self._is_weight(node.input[1])

    @abstractmethod
    def product(self, node: Any) -> None:
        """Replace a MatMul, Gemm or Conv with a weight, or `keep` it."""

    @abstractmethod
    def table(self, node: Any) -> None:
        """Replace a Gather of rows of a table."""

    def keep(self, node: Any) -> None:
        """Leave a node as it is."""
        self._nodes.append(node)

    def weight(self, name: str) -> NDArray[np.float32]:
        """The values of a weight."""
        found: NDArray[np.float32] = self.onnx.numpy_helper.to_array(self._weights[name])
        return found

    def options(self, node: Any) -> dict[str, Any]:
        """The attributes of a node."""
        return {each.name: self.onnx.helper.get_attribute_value(each) for each in node.attribute}

    def add(self, kind: str, inputs: list[str], output: str, **options: Any) -> str:
        """A node with one output, whose name is returned."""
        name = f"{output}_{kind}"
        self._nodes.append(self.onnx.helper.make_node(kind, inputs, [output], name=name, **options))
        return output

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        """A constant, made once for every name."""
        if name not in self._added:
            self._added[name] = self.onnx.numpy_helper.from_array(np.asarray(value), name)
        return name

    def _is_table(self, node: Any) -> bool:
        name = node.input[0]
        return self.options(node).get("axis", 0) == 0 and self._is_weight(name) and self._rank(name) == 2

    def _is_weight(self, name: str) -> bool:
        weight = self._weights.get(name)
        if weight is None or weight.data_type != self.onnx.TensorProto.FLOAT:
            return False
        return self._rank(name) >= 2 and int(np.prod(weight.dims)) >= LEAST_VALUES

    def _rank(self, name: str) -> int:
        return len(self._weights[name].dims)
