"""Both towers of a dual encoder of torch to a folder that `OnnxScorer` reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.export.duals import TorchDual, TorchMedia, dual
from pmg_onnx.export.folder import check_out, digests, filling, versions, write_record
from pmg_onnx.export.graph_file import OPSET, write_graph
from pmg_onnx.export.parity import check, compare
from pmg_onnx.export.probes import CALIBRATION, TEXTS
from pmg_onnx.export.winners import check_winners, compare_winners
from pmg_onnx.record import ImageTower, Parity, Precision, Record, SoundTower, TextTower
from pmg_onnx.scorer import OnnxScorer
from pmg_onnx.tokens import TokenReader
from pmg_sdk.progress import Observer, Silent, check_cancelled

__all__ = ["export_scorer"]

STAGE = "export"


def export_scorer(
    source: str,
    out: Path,
    *,
    precision: Precision = "fp32",
    winners: str | None = None,
    observer: Observer | None = None,
) -> Record:
    """Export both towers of the dual encoder `source` into `out`, and compare with the original.

    Args:
        source: a folder of transformers' CLIP or CLAP or of open_clip, a hub id, or "pmg:NAME".
        precision: "fp32", "fp16" or "int8"; see `pmg_onnx.export.parity.LIMITS` for what each must keep.
        winners: a scenario; its sample users and messages must choose the same candidates with what comes
            out. Makes every medium; minutes on a CPU.
        observer: hears of "export" and is asked at each step whether to stop.

    Returns:
        What stands in the folder's pmg_onnx.json, parity included.

    Raises:
        MissingExtra: the extra "export" is not installed.
        ModelFolderError, AssetError: the source cannot be read.
        BackendError: it cannot be exported, or differs too much from the original.
        StorageError: `out` holds something else, or cannot be written. Nothing is left half-written.
    """
    check_out(out)
    observer = observer or Silent()
    observer.start(STAGE, 3)
    found = dual(source)
    with filling(out) as scratch:
        check_cancelled(observer)
        text = _write_text(found, scratch, precision)
        observer.advance(STAGE)
        check_cancelled(observer)
        _write_media(found.media, scratch, precision)
        observer.advance(STAGE)
        if found.tags is not None:
            shutil.copyfile(found.tags, scratch / found.tags.name)
        tower = found.media.tower
        record = Record(
            kind="scorer",
            source=source,
            source_sha256=digests(found.weights, found.root),
            precision=precision,
            opset=OPSET,
            versions=versions(),
            towers=(text,),
            width=found.width,
            image=tower if isinstance(tower, ImageTower) else None,
            sound=tower if isinstance(tower, SoundTower) else None,
            temperature=found.temperature,
        )
        write_record(scratch, record)
        parity = check(_measured(found, scratch), precision)
        observer.advance(STAGE)
        if winners is not None:
            exported = OnnxScorer(str(scratch), cache=False)
            check_winners(list(compare_winners(winners, scorer=exported, observer=observer)))
        return write_record(scratch, record.model_copy(update={"parity": parity, "winners": winners or ""}))


def _write_text(found: TorchDual, folder: Path, precision: Precision) -> TextTower:
    import torch

    text = found.text
    found.write_tokenizer(folder / text.tokenizer)
    length = text.max_tokens if text.padded else min(9, text.max_tokens)
    ids = torch.randint(1, found.tokens, (2, length), generator=torch.Generator())
    axes = {0: "batch"} if text.padded else {0: "batch", 1: "length"}
    write_graph(
        found.text_module,
        {"input_ids": ids},
        ("pooled",),
        folder / text.graph,
        dynamic={"input_ids": axes},
        precision=precision,
        examples=_examples(found, folder) if precision == "int8" else (),
    )
    return text


def _examples(found: TorchDual, folder: Path) -> list[dict[str, NDArray[np.int64]]]:
    text = found.text
    rows, _ = TokenReader(folder, text, limit=text.max_tokens).cut(CALIBRATION)
    if text.padded:
        rows = [row + [text.pad] * (text.max_tokens - len(row)) for row in rows]
    return [{"input_ids": np.array([row], np.int64)} for row in rows]


def _write_media(media: TorchMedia, folder: Path, precision: Precision) -> None:
    for name, array in media.files.items():
        np.save(folder / name, array, allow_pickle=False)
    write_graph(
        media.module,
        media.inputs,
        ("pooled",),
        folder / media.tower.graph,
        dynamic={name: {0: "batch"} for name in media.inputs},
        precision=precision,
        examples=media.examples() if precision == "int8" else (),
    )


def _measured(found: TorchDual, folder: Path) -> Parity:
    exported = OnnxScorer(str(folder), device="cpu", cache=False)
    probes = found.media.probes
    return compare(
        [found.scorer.embed_text(TEXTS), found.scorer.embed_media(probes)],
        [exported.embed_text(TEXTS), exported.embed_media(probes)],
    )
