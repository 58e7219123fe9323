"""Joining two safetensors files byte by byte, whatever their data types."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pmg_sdk.errors import AssetCorrupt
from pmg_sdk.json_file import parse_json

__all__ = ["merge_safetensors"]

_LARGEST_HEADER = 100_000_000


def merge_safetensors(
    first: Path, second: Path, to: Path, *, prefix: str, leave_out: Collection[str] = ()
) -> None:
    """Write to `to` the tensors of `first` as they are and those of `second` with `prefix` before the name.

    Raises:
        AssetCorrupt: a file is not safetensors, or a name would occur twice.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    copies: list[tuple[Path, int, int]] = []
    offset = 0
    for path, before, skipped in ((first, "", ()), (second, prefix, leave_out)):
        data_at, tensors = _header(path)
        for name, tensor in tensors.items():
            if name in skipped:
                continue
            if before + name in header:
                raise AssetCorrupt(f"tensor {before + name!r} is in both {first.name} and {second.name}.")
            begin, end = tensor["data_offsets"]
            header[before + name] = {**tensor, "data_offsets": [offset, offset + end - begin]}
            copies.append((path, data_at + begin, end - begin))
            offset += end - begin

    encoded = json.dumps(header, separators=(",", ":")).encode("utf-8")
    encoded += b" " * (-len(encoded) % 8)
    with to.open("wb") as out:
        out.write(len(encoded).to_bytes(8, "little"))
        out.write(encoded)
        for path, begin, length in copies:
            with path.open("rb") as source:
                source.seek(begin)
                _copy(source, out, length)


def _header(path: Path) -> tuple[int, dict[str, Any]]:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(_LARGEST_HEADER, path.stat().st_size):
                raise ValueError(f"a header of {length} bytes")
            header = parse_json(file.read(length))
        header.pop("__metadata__", None)
        ends = [tensor["data_offsets"][1] for tensor in header.values()]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise AssetCorrupt(f"expected a safetensors file, {path.name} is not one ({error}).") from error
    if 8 + length + max(ends, default=0) != path.stat().st_size:
        raise AssetCorrupt(f"{path.name} is cut short or has something behind its tensors.")
    return 8 + length, header


def _copy(source: Any, out: Any, length: int) -> None:
    while length > 0:
        chunk = source.read(min(length, 1 << 20))
        out.write(chunk)
        length -= len(chunk)
