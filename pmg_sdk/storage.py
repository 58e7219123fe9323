"""Writing files in one step: the whole file appears, or what was there stays."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pmg_sdk.errors import StorageError

__all__ = ["replacing", "scratch_beside", "write_bytes", "write_json", "write_text"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A scratch path beside `path` that replaces it when the block ends well.

    On any error, Ctrl-C included, the scratch file is removed and `path` is left as it was.

    Raises:
        StorageError: the folder cannot be made, the disk is full, or permission is missing.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = scratch_beside(path)
        # The kernel applies the umask; to read it is to change it, for every thread of the process.
        os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}. Choose another folder.") from error
    try:
        yield scratch
        os.replace(scratch, path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}. Free some space or choose another folder; "
            f"nothing was changed."
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def scratch_beside(path: Path) -> Path:
    """A hidden name in the folder of `path` that nothing has yet."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def write_bytes(path: Path, data: bytes) -> Path:
    """Write `data` to `path` in one step and return the path."""
    with replacing(path) as scratch, scratch.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return path


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 `text` to `path` in one step and return the path."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> Path:
    """Write `value` as indented UTF-8 JSON to `path` in one step and return the path."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
