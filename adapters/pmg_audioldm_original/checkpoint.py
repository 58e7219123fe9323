"""Where a checkpoint of the original package lies, and which it is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pmg_sdk.errors import ModelFolderError

__all__ = ["find_checkpoint", "fingerprint"]

ENDS = 1 << 16
"""Bytes at either end of a file that tell it from others: a checkpoint is a zip archive, and the list of
its tensors with their checksums stands at the end."""


def find_checkpoint(model: str) -> Path:
    """The file of a path, or of a name the package knows, where the package itself keeps it.

    Nothing is downloaded.

    Raises:
        ModelFolderError: there is none.
    """
    given = Path(model).expanduser()
    if given.is_file():
        return given
    cache = Path(os.environ.get("AUDIOLDM_CACHE_DIR", "~/.cache/audioldm")).expanduser()
    kept = cache / f"{model}.ckpt"
    if kept.is_file():
        return kept
    raise ModelFolderError(
        f"an AudioLDM checkpoint was expected at {given} or {kept}; there is none. Give the path of a "
        ".ckpt file, or let the package download one: `audioldm --model_name audioldm-s-full -t test`."
    )


def fingerprint(path: Path) -> str:
    """Eight hexadecimal digits that change with the content.

    Raises:
        ModelFolderError: it cannot be read.
    """
    try:
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        with path.open("rb") as file:
            digest.update(file.read(ENDS))
            file.seek(max(0, size - ENDS))
            digest.update(file.read(ENDS))
    except OSError as error:
        raise ModelFolderError(f"an AudioLDM checkpoint was expected at {path}; {error.strerror}") from error
    return digest.hexdigest()[:8]
