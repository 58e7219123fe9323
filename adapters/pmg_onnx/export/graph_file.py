"""A torch module as an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_onnx.export.activations import Examples
from pmg_onnx.export.eager_attention import eager_attention
from pmg_onnx.export.half import to_half
from pmg_onnx.export.int8 import to_int8
from pmg_onnx.export.silence import silenced
from pmg_onnx.missing import expect
from pmg_onnx.record import Precision
from pmg_sdk.errors import BackendError

if TYPE_CHECKING:
    import torch

__all__ = ["OPSET", "write_graph"]

OPSET = 18
"""At 23 attention is one operation, which ONNX Runtime's CPU kernels run more slowly than its parts."""


def write_graph(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    outputs: Sequence[str],
    path: Path,
    *,
    dynamic: Mapping[str, Mapping[int, str]],
    precision: Precision,
    examples: Examples = (),
) -> list[Path]:
    """Write `module` to `path`, its weights beside it in `path`.data, and return the files.

    Args:
        inputs: examples by name, in the order in which `module` takes them.
        outputs: names of what it gives.
        dynamic: of every input, the axes whose size varies, by name.
        examples: inputs like those to come, for int8.

    Raises:
        MissingExtra: onnx or onnxscript is not installed.
        BackendError: torch cannot export it.
    """
    import torch

    expect("onnxscript", extra="export")
    onnx = expect("onnx", extra="export")
    auto = torch.export.Dim.DYNAMIC
    try:
        with (
            torch.no_grad(),
            eager_attention(module),
            silenced("torch.onnx", "torch.export", "onnxscript", "onnx_ir"),
        ):
            program = torch.onnx.export(
                module,
                tuple(inputs.values()),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=[dict.fromkeys(dynamic[name], auto) for name in inputs],
                verbose=False,
            )
            assert program is not None
            model = program.model_proto
    except Exception as error:  # torch.export and onnxscript fail in many ways
        raise BackendError(
            f"torch {torch.__version__} cannot export this model to ONNX "
            f"({type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]})"
        ) from error
    if precision == "fp16":
        to_half(model)
    elif precision == "int8":
        to_int8(model, examples)
    _forget_origin(model)
    data = path.with_name(f"{path.name}.data")
    onnx.save_model(model, str(path), save_as_external_data=True, location=data.name, size_threshold=1024)
    data.chmod(path.stat().st_mode)
    return [path, data]


def _forget_origin(model: Any) -> None:
    """Leave out stack traces and names of source files: they make one export differ from the next."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.metadata_props[:]
