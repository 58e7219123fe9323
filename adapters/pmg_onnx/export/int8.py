"""Graphs in eight bits: products with weights, and tables of embeddings.

Weights have one scale for every column. Activations are quantised as they come, one scale for every row
(token): what ONNX Runtime's own dynamic quantisation does for a whole batch at once makes a text's
embedding depend on the other texts of its batch, and loses more.

A few channels of activations are far larger than the rest, and would leave those a few of the 255 levels.
So each channel is divided, and its row of the weights multiplied, by max |x|^a / max |w|^(1 - a), measured on
a few examples (SmoothQuant, arXiv 2211.10438), with the a of which the least is lost there.

Small models have little to lose. Where that shows on the examples, the products that lose most stay in
float32, as few of them as do.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.export.activations import Examples, rows_inside, values
from pmg_onnx.export.rewriting import Rewriting

__all__ = ["to_int8"]


LEAST = 1e-5
MIGRATIONS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""What a is chosen from."""
WORTH = 0.8
"""Of what is lost without, a division must leave less than this."""


SHARES = (0.125, 0.25, 0.375, 0.5, 0.75)
"""How many of the products may stay in float32, tried in this order."""
AIM = 0.997
"""The smallest cosine on the examples; what is compared afterwards are other texts."""


def to_int8(model: Any, examples: Examples) -> None:
    """Rewrite `model`, an onnx ModelProto in float32, in place; inputs and outputs stay as they are.

    Args:
        examples: to see how large which channel becomes, and what is lost.
    """
    exact = values(model, (), examples)
    first = _Int8(model, examples)
    inputs = list(first.divisors)

    def quantised(kept: Collection[str]) -> tuple[Any, NDArray[np.float64]]:
        copy = type(model)()
        copy.CopyFrom(model)
        _Int8(copy, divisors=first.divisors, kept=kept).run()
        return copy, _cosines(exact, values(copy, (), examples))

    best, cosines = quantised(())
    if cosines.min() < AIM:
        alone = {x: quantised([other for other in inputs if other != x])[1].mean() for x in inputs}
        worst_first = sorted(inputs, key=lambda x: alone[x])
        for share in SHARES:
            best, cosines = quantised(worst_first[: math.ceil(share * len(inputs))])
            if cosines.min() >= AIM:
                break
    model.CopyFrom(best)


def _cosines(
    exact: Mapping[str, Sequence[NDArray[np.float32]]], found: Mapping[str, Sequence[NDArray[np.float32]]]
) -> NDArray[np.float64]:
    pairs = [pair for name in exact for pair in zip(exact[name], found[name], strict=True)]
    each = [
        (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-30)
        for a, b in pairs
    ]
    return np.concatenate(each).astype(np.float64)


class _Int8(Rewriting):
    """One pass.

    Args:
        examples: what divisors are found on, where none are given.
        divisors: of the channels of every value that is multiplied with weights.
        kept: names of those values whose products stay.
    """

    def __init__(
        self,
        model: Any,
        examples: Examples = (),
        *,
        divisors: Mapping[str, NDArray[np.float32]] | None = None,
        kept: Collection[str] = (),
    ) -> None:
        super().__init__(model)
        self._rows: dict[str, str] = {}
        self._kept = frozenset(kept)
        self.divisors = self._found(model, examples) if divisors is None else divisors

    def _found(self, model: Any, examples: Examples) -> dict[str, NDArray[np.float32]]:
        products: dict[str, list[NDArray[np.float32]]] = {}
        for node in model.graph.node:
            if self.is_product(node) and (weight := self._matrix(node)) is not None:
                products.setdefault(node.input[0], []).append(weight)
        seen = rows_inside(model, list(products), examples)
        return {x: _divisor(seen[x], weights) for x, weights in products.items()}

    def product(self, node: Any) -> None:
        """y = (round(x / s_row) @ w_int8) * s_column * s_row, with the rows of x as they lie in memory."""
        x, y = node.input[0], node.output[0]
        weight = self._matrix(node)
        if weight is None or x in self._kept:
            self.keep(node)
            return
        weight = weight * self.divisors[x][:, None]
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / 127
        matrix = self.constant(f"{y}_int8", np.rint(weight / scale).astype(np.int8))
        columns = self.constant(f"{y}_columns", scale.astype(np.float32))
        rows = self._quantised_rows(x, weight.shape[0])
        one, middle = self.constant("pmg_one", np.float32(1)), self.constant("pmg_128", np.uint8(128))
        last = self.constant(f"pmg_columns_{weight.shape[1]}", np.array([weight.shape[1]], np.int64))
        inputs = [f"{rows}_uint8", matrix, one, columns, middle]
        found = self.add("MatMulIntegerToFloat", inputs, f"{y}_scaled", domain="com.microsoft")
        found = self.add("Mul", [found, f"{rows}_scale"], f"{y}_rows")
        if node.op_type == "Gemm" and len(node.input) > 2:
            found = self.add("Add", [found, node.input[2]], f"{y}_biased")
        shape = self.add("Concat", [f"{rows}_shape", last], f"{y}_shape", axis=0)
        self.add("Reshape", [found, shape], y)

    def table(self, node: Any) -> None:
        """Rows of a table with one scale for every row."""
        name, indices, y = node.input[0], node.input[1], node.output[0]
        table = self.weight(name)
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
        rows = self.constant(f"{name}_rows_int8", np.rint(table / scale).astype(np.int8))
        scales = self.constant(f"{name}_rows_scale", scale.astype(np.float32))
        found = self.add("Gather", [rows, indices], f"{y}_int8", axis=0)
        found = self.add("Cast", [found], f"{y}_float", to=int(self.onnx.TensorProto.FLOAT))
        self.add("Mul", [found, self.add("Gather", [scales, indices], f"{y}_scale", axis=0)], y)

    def _matrix(self, node: Any) -> NDArray[np.float32] | None:
        """The weight (in, out) of a product that can be quantised; convolutions in eight bits are slow."""
        options = self.options(node)
        plain = options.get("alpha", 1.0) == options.get("beta", 1.0) == 1.0 and not options.get("transA")
        weight = self.weight(node.input[1])
        if node.op_type == "Conv" or weight.ndim != 2 or not plain:
            return None
        return weight.T if options.get("transB") else weight

    def _quantised_rows(self, x: str, width: int) -> str:
        """Rows of x as uint8 around 128, their scales and the shape of x before its last axis; made once."""
        if x in self._rows:
            return self._rows[x]
        r = self._rows[x] = f"{x}_rows"
        flat = self.constant(f"pmg_rows_of_{width}", np.array([-1, width], np.int64))
        axis = self.constant("pmg_axis_1", np.array([1], np.int64))
        tiny, step = (
            self.constant("pmg_tiny", np.float32(1e-12)),
            self.constant("pmg_step", np.float32(1 / 127)),
        )
        self.add("Shape", [x], f"{r}_shape", start=0, end=-1)
        if (self.divisors[x] == 1).all():
            self.add("Reshape", [x, flat], r)
        else:
            factors = self.constant(f"{x}_factors", (1 / self.divisors[x]).astype(np.float32))
            self.add("Mul", [self.add("Reshape", [x, flat], f"{r}_flat"), factors], r)
        highest = self.add("ReduceMax", [r, axis], f"{r}_max", keepdims=1)
        lowest = self.add("Neg", [self.add("ReduceMin", [r, axis], f"{r}_min", keepdims=1)], f"{r}_neg")
        self.add("Mul", [self.add("Max", [highest, lowest, tiny], f"{r}_abs"), step], f"{r}_scale")
        self.add("Squeeze", [f"{r}_scale", axis], f"{r}_scales")
        count = self.add("Shape", [f"{r}_scales"], f"{r}_count")
        middle = self.constant("pmg_128s", np.array([128], np.uint8))
        middles = self.add("Expand", [middle, count], f"{r}_middles")
        self.add("QuantizeLinear", [r, f"{r}_scales", middles], f"{r}_uint8", axis=0)
        return r


def _divisor(rows: NDArray[np.float32], weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Of every channel of rows that are multiplied with all of `weights`."""
    weight = np.concatenate(weights, axis=1)
    exact = rows @ weight
    x, w = (np.maximum(values, LEAST) for values in (np.abs(rows).max(axis=0), np.abs(weight).max(axis=1)))
    candidates = [x**a / w ** (1 - a) for a in MIGRATIONS]

    def lost(divisor: NDArray[np.float32]) -> float:
        product = _rounded(rows / divisor, axis=1) @ _rounded(weight * divisor[:, None], axis=0)
        return float(np.square(product - exact).sum())

    best: NDArray[np.float32] = min(candidates, key=lost)
    none: NDArray[np.float32] = np.ones_like(best)
    return best if lost(best) < WORTH * lost(none) else none  # a pass over all activations


def _rounded(values: NDArray[np.float32], *, axis: int) -> NDArray[np.float32]:
    """To 127 levels on either side of 0, with one scale along `axis`."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127
    found: NDArray[np.float32] = np.rint(values / scale) * scale
    return found
