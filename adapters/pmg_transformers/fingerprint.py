"""A short name for a set of text encoder weights, read from a few kilobytes of the files.

Two encoders with equal fingerprints give interchangeable embeddings. So the fingerprint holds still
where the embeddings do: between fp32 and fp16 copies, between one file and shards, with or without a
pooler or a second tower, and between library versions that name the same tensors with other prefixes.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_sdk.errors import ModelFolderError
from pmg_sdk.json_file import parse_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fingerprint"]

SAMPLED_VALUES = 16
MAX_HEADER_BYTES = 100_000_000
BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8}
PREFIXES = ("text_model.", "bert.", "model.")
WITHOUT_INFLUENCE = (
    "pooler.",
    "decoder.",
    "lm_head.",
    "vision_model.",
    "visual_projection.",
    "text_projection.",
    "logit_scale",
    "encoder.embed_tokens.",
)


def fingerprint(files: Sequence[Path], shape: Mapping[str, Any], *, only: tuple[str, ...] = ()) -> str:
    """Eight hexadecimal digits for the text tensors in safetensors `files` of a model of that `shape`.

    Args:
        only: beginnings of the names of those that count, where it is not all that a text encoder has.

    Raises:
        ModelFolderError: a file is not safetensors.
    """
    tensors = {name: tensor for file in files for name, tensor in _tensors(file, only)}
    digest = hashlib.sha256(json.dumps(dict(shape), sort_keys=True).encode())
    for name in sorted(tensors):
        dimensions, sample = tensors[name]
        digest.update(f"{name}{dimensions}".encode())
        digest.update(sample.tobytes())
    return digest.hexdigest()[:8]


def _tensors(path: Path, only: tuple[str, ...]) -> list[tuple[str, tuple[list[int], NDArray[np.float16]]]]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > MAX_HEADER_BYTES:
                raise ValueError("the header is longer than safetensors allows")
            header = parse_json(file.read(length))
            found = []
            for name, entry in header.items():
                short = _short(name)
                if name == "__metadata__" or entry["dtype"] not in BYTES or not _counts(name, short, only):
                    continue
                start, end = entry["data_offsets"]
                count = (end - start) // BYTES[entry["dtype"]]
                middle = start + count // 2 * BYTES[entry["dtype"]]
                file.seek(8 + length + middle)
                wanted = min(SAMPLED_VALUES, count - count // 2)
                raw = file.read(wanted * BYTES[entry["dtype"]])
                found.append((short, (entry["shape"], _as_float16(raw, entry["dtype"]))))
            return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ModelFolderError(
            f"a safetensors file was expected at {path}; it is damaged or of another kind ({error})"
        ) from error


def _counts(name: str, short: str, only: tuple[str, ...]) -> bool:
    return name.startswith(only) if only else not short.startswith(WITHOUT_INFLUENCE)


def _short(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _as_float16(raw: bytes, dtype: str) -> NDArray[np.float16]:
    if dtype == "BF16":
        values = (np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        values = np.frombuffer(raw, dtype=f"<f{BYTES[dtype]}").astype(np.float32)
    with np.errstate(over="ignore"):
        return values.astype("<f2")
