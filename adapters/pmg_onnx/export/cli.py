"""`pmg export text-encoder` and `pmg export scorer`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pmg_onnx.export.scorer import export_scorer
from pmg_onnx.export.text_encoder import export_text_encoder
from pmg_onnx.record import Precision, Record
from pmg_sdk.cli.progress import progress, quiet_option

__all__ = ["scorer", "text_encoder"]

out_option = click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write; an earlier export in it is replaced in one step.",
)
precision_option = click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8"]),
    default="fp32",
    show_default=True,
    help="fp16 for CUDA, int8 for CPUs: a quarter of the size, and faster.",
)
winners_option = click.option(
    "--check-winners",
    "winners",
    metavar="SCENARIO",
    help="Also expect the same winners for its sample users and messages; minutes.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the folder's record as JSON.")


@click.command(
    "text-encoder",
    epilog="\b\n"
    "Examples:\n"
    "  pmg export text-encoder --from pmg:emoji-diffusion --out text-onnx\n"
    "  pmg export text-encoder --from my-sdxl-folder --out text-onnx --precision fp16",
)
@click.option("--from", "source", metavar="MODEL", required=True, help="Folder, hub id or pmg:NAME.")
@out_option
@click.option("--subfolder", metavar="NAME", help="Where the encoder is.  [the one that conditions]")
@click.option("--tokenizer-subfolder", metavar="NAME", help="Where the tokenizer is.  [beside the encoder]")
@click.option("--clip-skip", type=click.IntRange(min=0), default=0, help="Last layers of CLIP to leave out.")
@precision_option
@winners_option
@json_option
@quiet_option
def text_encoder(
    source: str,
    out: Path,
    subfolder: str | None,
    tokenizer_subfolder: str | None,
    clip_skip: int,
    precision: Precision,
    winners: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Export a text encoder to ONNX, with its tokenizer, and compare it with the original.

    Of a diffusers folder it is the encoder that conditions, or both of SDXL. What comes out lives in the
    same text space, and fills the role text_encoder as the adapter "onnx". Where it differs too much from
    the original nothing is written.
    """
    with progress(quiet) as observer:
        record = export_text_encoder(
            source,
            out,
            subfolder=subfolder,
            tokenizer_subfolder=tokenizer_subfolder,
            clip_skip=clip_skip,
            precision=precision,
            winners=winners,
            observer=observer,
        )
    _show(record, out, as_json, role="text_encoder")


@click.command(
    epilog="\b\n"
    "Examples:\n"
    "  pmg export scorer --from pmg:emoji-clip --out scorer-onnx\n"
    "  pmg export scorer --from my-clip-folder --out scorer-onnx --precision int8\n"
    "  pmg export scorer --from my-clap-folder --out sound-scorer-onnx",
)
@click.option("--from", "source", metavar="MODEL", required=True, help="Folder, hub id or pmg:NAME.")
@out_option
@precision_option
@winners_option
@json_option
@quiet_option
def scorer(
    source: str, out: Path, precision: Precision, winners: str | None, as_json: bool, quiet: bool
) -> None:
    """Export a scorer to ONNX: transformers' CLIP, a model of open_clip, or of sounds transformers' CLAP.

    Both towers, the tokenizer, and how pictures or sounds are prepared. What comes out fills the role scorer
    as the adapter "onnx", and with a vocabulary the role captioner as "onnx-tags". Where it differs too much
    from the original nothing is written.
    """
    with progress(quiet) as observer:
        record = export_scorer(source, out, precision=precision, winners=winners, observer=observer)
    _show(record, out, as_json, role="scorer")


def _show(record: Record, out: Path, as_json: bool, *, role: str) -> None:
    """What was written, how near it is to the original, and how it is used."""
    if as_json:
        click.echo(json.dumps(record.model_dump(mode="json"), indent=2))
        return
    size = sum(path.stat().st_size for path in out.iterdir())
    click.echo(f"{out}: {size / 1e6:,.1f} MB, {record.precision}")
    if record.space:
        click.echo(f"space: {record.space}")
    if record.parity is not None:
        click.echo(
            f"against the original: largest difference {record.parity.max_abs:.2g}, "
            f"smallest cosine {record.parity.min_cosine:.6f}"
        )
    click.echo(f"to use it: --set {role}.adapter=onnx --set {role}.options.model={out}")
