"""A text encoder of torch to a folder that `OnnxTextEncoder` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.export.folder import check_out, digests, filling, versions, write_record
from pmg_onnx.export.graph_file import OPSET, write_graph
from pmg_onnx.export.originals import Original, TorchTower, original
from pmg_onnx.export.parity import check, compare, rows_of
from pmg_onnx.export.probes import CALIBRATION, TEXTS
from pmg_onnx.export.silence import silenced
from pmg_onnx.export.tokenizer_file import write_tokenizer
from pmg_onnx.export.winners import check_winners, compare_winners
from pmg_onnx.record import Parity, Precision, Record, TextTower
from pmg_onnx.text_encoder import OnnxTextEncoder
from pmg_sdk.progress import Observer, Silent, check_cancelled

__all__ = ["export_text_encoder"]

STAGE = "export"


def export_text_encoder(
    source: str,
    out: Path,
    *,
    subfolder: str | None = None,
    tokenizer_subfolder: str | None = None,
    clip_skip: int = 0,
    precision: Precision = "fp32",
    winners: str | None = None,
    observer: Observer | None = None,
) -> Record:
    """Export the text encoder of `source` into the folder `out`, and compare it with the original.

    Args:
        source: a folder of transformers, diffusers or open_clip, a hub id, or "pmg:NAME".
        subfolder: where in it the encoder is; None finds the one that conditions in diffusers folders,
            both of SDXL, and takes other folders as they are.
        tokenizer_subfolder: where the tokenizer is; None looks where it belongs.
        clip_skip: how many of CLIP's last layers to leave out; part of the space.
        precision: "fp32", "fp16" or "int8"; see `pmg_onnx.export.parity.LIMITS` for what each must keep.
        winners: a scenario; its sample users and messages must choose the same candidates with what comes
            out. Makes every picture; minutes on a CPU.
        observer: hears of "export" and is asked at each step whether to stop.

    Returns:
        What stands in the folder's pmg_onnx.json, parity included.

    Raises:
        MissingExtra: the extra "export" is not installed.
        ModelFolderError, AssetError, ConfigError: the source cannot be read.
        BackendError: it cannot be exported, or differs too much from the original.
        StorageError: `out` holds something else, or cannot be written. Nothing is left half-written.
    """
    check_out(out)
    observer = observer or Silent()
    with original(source, subfolder, tokenizer_subfolder, clip_skip) as found, filling(out) as scratch:
        observer.start(STAGE, len(found.towers) + 1)
        towers = []
        for index, tower in enumerate(found.towers):
            check_cancelled(observer)
            towers.append(_write_tower(tower, scratch, f"_{index + 1}" if index else "", precision))
            observer.advance(STAGE)
        check_cancelled(observer)
        record = Record(
            kind="text encoder",
            source=source,
            source_sha256=digests(found.weights, found.root),
            precision=precision,
            opset=OPSET,
            versions=versions(),
            towers=tuple(towers),
            space=found.encoder.space,
            width=found.width,
            padding=found.padding,
            clip_skip=clip_skip,
        )
        write_record(scratch, record)
        parity = check(_measured(found, scratch), precision)
        observer.advance(STAGE)
        if winners is not None:
            exported = OnnxTextEncoder(str(scratch), cache=False)
            check_winners(list(compare_winners(winners, text_encoder=exported, observer=observer)))
        return write_record(scratch, record.model_copy(update={"parity": parity, "winners": winners or ""}))


def _write_tower(tower: TorchTower, folder: Path, suffix: str, precision: Precision) -> TextTower:
    import torch

    graph, tokenizer = f"text_encoder{suffix}.onnx", f"tokenizer{suffix}.json"
    write_tokenizer(tower.tokenizer, folder / tokenizer)
    ids = torch.randint(0, tower.tokens, (2, min(9, tower.max_tokens)), generator=torch.Generator())
    inputs = {"input_ids": ids} | ({"attention_mask": torch.ones_like(ids)} if tower.masked else {})
    axes = {0: "batch", 1: "length"}
    write_graph(
        tower.module,
        inputs,
        tower.outputs,
        folder / graph,
        dynamic=dict.fromkeys(inputs, axes),
        precision=precision,
        examples=_examples(tower) if precision == "int8" else (),
    )
    return TextTower(
        graph=graph,
        tokenizer=tokenizer,
        max_tokens=tower.max_tokens,
        pad=tower.tokenizer.pad_token_id,
        masked=tower.masked,
    )


def _examples(tower: TorchTower) -> list[dict[str, NDArray[np.int64]]]:
    found = []
    for text in CALIBRATION:
        tokens = tower.tokenizer(text, truncation=True, max_length=tower.max_tokens)
        ids = np.array([tokens["input_ids"]], np.int64)
        found.append({"input_ids": ids} | ({"attention_mask": np.ones_like(ids)} if tower.masked else {}))
    return found


def _measured(found: Original, folder: Path) -> Parity:
    """Every probe, padded and not.

    Where padding is masked, what stands in its place is no part of the text and is left out: in float32
    the original itself is 2e-4 from the truth there.
    """
    expected, got = [], []
    masked = any(tower.masked for tower in found.towers)
    for padding in (False, True):
        exported = OnnxTextEncoder(str(folder), padding=padding, device="cpu", cache=False)
        counts = exported.count_tokens(TEXTS) if padding and masked else None
        with silenced("pmg_onnx", "pmg_transformers"):  # some probes are too long on purpose
            expected += rows_of(found.encode(TEXTS, padding), counts)
            got += rows_of(exported.encode(TEXTS), counts)
    return compare(expected, got)
