"""`pmg export`: models in a form that runs without torch."""

from __future__ import annotations

import click

from pmg_sdk.cli.lazy import LazyCommand

__all__ = ["export"]


@click.group(epilog="Try: pmg export text-encoder --from pmg:emoji-diffusion --out text-onnx")
def export() -> None:
    """Export a model once, to run it on ONNX Runtime without torch."""


export.add_command(
    LazyCommand(
        "text-encoder",
        "pmg_onnx.export.cli:text_encoder",
        "Export a generator's text encoder, for text_encoder=onnx.",
    )
)
export.add_command(
    LazyCommand(
        "scorer",
        "pmg_onnx.export.cli:scorer",
        "Export a scorer with both of its towers, for scorer=onnx.",
    )
)
