"""Filling an exported folder: whole and within the limits, or not at all."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pmg_onnx.record import FILE, Record
from pmg_sdk.assets.cache import sha256_of
from pmg_sdk.result_folder import check_replaceable, replacing_folder
from pmg_sdk.storage import write_json

__all__ = ["check_out", "digests", "filling", "versions", "write_record"]

OTHERS = ("*.onnx", "*.onnx.data", "*tokenizer*.json", "tags.json", "*.npy")
PACKAGES = ("pmg-sdk", "torch", "transformers", "onnx", "onnxscript", "onnxruntime", "onnxruntime-gpu")


def check_out(out: Path) -> None:
    """Refuse an `out` that could not be written, before anything is loaded.

    Raises:
        StorageError: it holds something else than an earlier export.
    """
    check_replaceable(out, marker=FILE, others=OTHERS)


@contextmanager
def filling(out: Path) -> Iterator[Path]:
    """A scratch folder that takes the place of `out` when the block ends well."""
    with replacing_folder(out, marker=FILE, others=OTHERS) as scratch:
        yield scratch


def write_record(folder: Path, record: Record) -> Record:
    """Write `record` into `folder`, with the sha256 of every file in it."""
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.name != FILE}
    complete = record.model_copy(update={"files": files})
    write_json(folder / FILE, complete.model_dump(mode="json"))
    return complete


def digests(files: Sequence[Path], root: Path) -> dict[str, str]:
    """Sha256 of weights, by their names below `root`."""
    return {path.relative_to(root).as_posix(): sha256_of(path) for path in files}


def versions() -> dict[str, str]:
    """Of Python and of the packages that take part in an export."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
