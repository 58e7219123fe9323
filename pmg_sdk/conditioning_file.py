"""A `Conditioning` as a safetensors file: how E_m is kept (nothing is unpickled on the way back)."""

from __future__ import annotations

from pathlib import Path

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import InputError
from pmg_sdk.storage import write_bytes

__all__ = ["read_conditioning", "write_conditioning"]


def write_conditioning(path: Path, conditioning: Conditioning) -> Path:
    """Write it in one step and return the path.

    Raises:
        StorageError: the file cannot be written.
    """
    from safetensors.numpy import save

    tensors = {"embeds": conditioning.embeds}
    if conditioning.pooled is not None:
        tensors["pooled"] = conditioning.pooled
    return write_bytes(path, save(tensors, metadata={"space": conditioning.space}))


def read_conditioning(path: Path) -> Conditioning:
    """Read what `write_conditioning` wrote.

    Raises:
        InputError: the file is missing, damaged or holds something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            pooled = file.get_tensor("pooled") if "pooled" in file.keys() else None  # noqa: SIM118
            return Conditioning(file.get_tensor("embeds"), metadata["space"], pooled)
    except (OSError, SafetensorError, KeyError) as error:
        raise InputError(
            f"a safetensors file with embeddings was expected at {path} ({type(error).__name__}: {error})"
        ) from error
