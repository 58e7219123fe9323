"""What a graph gives, inside and at its end, on examples."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.missing import expect

__all__ = ["Examples", "rows_inside", "values"]

MOST_ROWS = 512

Examples = Sequence[Mapping[str, NDArray[Any]]]
"""Inputs by name."""


def values(model: Any, names: Sequence[str], examples: Examples) -> dict[str, list[NDArray[np.float32]]]:
    """What the values called `names`, or all outputs, become; as rows, for every example.

    Args:
        model: an onnx ModelProto; it is left as it is.
    """
    onnx, ort = expect("onnx", extra="export"), expect("onnxruntime")
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    own = [output.name for output in model.graph.output]
    watched.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names
        if name not in own
    )
    names = list(names) or own
    options = ort.SessionOptions()
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory(prefix="pmg-export-") as scratch:
        path = Path(scratch) / "model.onnx"  # in memory a model may not exceed 2 GB
        onnx.save_model(watched, str(path), save_as_external_data=True, location="weights")
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
        for example in examples:
            for name, value in zip(names, session.run(names, dict(example)), strict=True):
                found[name].append(value.reshape(-1, value.shape[-1]))
    return found


def rows_inside(model: Any, names: Sequence[str], examples: Examples) -> dict[str, NDArray[np.float32]]:
    """Of every value its rows on all examples, shape (rows, channels), at most 512 of them."""
    if not names:
        return {}
    random = np.random.default_rng(0)
    joined = {name: np.concatenate(parts) for name, parts in values(model, names, examples).items()}
    return {name: rows[random.permutation(len(rows))[:MOST_ROWS]] for name, rows in joined.items()}
