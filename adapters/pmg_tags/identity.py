"""What tells the embeddings of one model from those of another."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["identity"]

READ = (".json", ".txt", ".safetensors", ".bin", ".pth")


def identity(name: str, folder: Path | None) -> str:
    """A hash that changes with the weights: of a folder's files by content, of other models by `name`."""
    digest = hashlib.sha256(f"{name}|".encode())
    if folder is not None:
        for path in sorted(folder.iterdir()):
            if path.suffix in READ:
                digest.update(path.name.encode())
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
