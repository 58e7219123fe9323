"""Folders in the cache: built aside, moved into place whole, checked whenever they are used."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pmg_sdk.errors import StorageError
from pmg_sdk.json_file import read_json

__all__ = ["cache_dir", "complete", "digest", "ensure_folder", "folder_of", "intact", "ours", "sha256_of"]

_STAMP = ".pmg-asset.json"
_BUILDING = ".building-"


def cache_dir() -> Path:
    """Where fetched models are kept: `PMG_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("PMG_CACHE"):
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("pmg-sdk", appauthor=False))


def folder_of(name: str, key: str) -> Path:
    """Where the folder of `name`, made from inputs with digest `key`, is or will be."""
    return cache_dir() / name / key[:16]


def digest(value: object) -> str:
    """Sha256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_of(path: Path) -> str:
    """Sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def complete(folder: Path) -> bool:
    """Whether every recorded file is there with its recorded size: cheap, asked at every use."""
    recorded = _recorded(folder)
    return recorded is not None and all(
        (folder / name).is_file() and (folder / name).stat().st_size == size
        for name, (size, _) in recorded.items()
    )


def intact(folder: Path) -> bool:
    """Whether every recorded file has its recorded sha256: reads everything."""
    recorded = _recorded(folder)
    return (
        recorded is not None
        and complete(folder)
        and all(sha256_of(folder / name) == sha256 for name, (_, sha256) in recorded.items())
    )


def ours() -> list[Path]:
    """Every folder and file in the cache folder that this package made, retired models included.

    Known by their form, for `PMG_CACHE` may name a folder that holds other things too.
    """
    root = cache_dir()
    stamped = (stamp.parent for stamp in root.glob(f"*/*/{_STAMP}"))
    return [*stamped, *root.glob(f"*/{_BUILDING}*"), *root.glob("vocabularies/*.npy")]


def ensure_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """`folder`, built by `build` if it is not there or not complete.

    `build` fills a folder of its own. Processes that build the same at the same time do not
    disturb each other: the first one done wins, and the others find its work.

    Raises:
        StorageError: the cache cannot be written.
        Whatever `build` raises; nothing is left behind.
    """
    if complete(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent))
    except OSError as error:
        raise _not_writable(folder, error) from error
    try:
        built = scratch / folder.name
        built.mkdir()
        build(built)
        _record(built)
        if not complete(folder):
            try:
                with contextlib.suppress(FileNotFoundError):  # none there, or moved away by another process
                    os.replace(folder, scratch / "damaged")
                os.replace(built, folder)
            except OSError:
                if not complete(folder):
                    raise
    except OSError as error:
        raise _not_writable(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _record(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    for path in files.values():
        mode = path.stat().st_mode
        if mode & 0o444 != 0o444:  # safetensors writes 0600, and caches are shared
            os.chmod(path, mode | 0o444)  # never needlessly: a linked file may belong to somebody else
    stamp = {name: [path.stat().st_size, sha256_of(path)] for name, path in files.items()}
    (folder / _STAMP).write_text(json.dumps({"files": stamp}, indent=1), encoding="utf-8")


def _recorded(folder: Path) -> dict[str, tuple[int, str]] | None:
    try:
        stamp = read_json(folder / _STAMP)
        return {name: (int(size), str(sha256)) for name, (size, sha256) in stamp["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != _STAMP)


def _not_writable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write the model cache at {folder.parent}: {error.strerror or error}. Free some space, or "
        f"set PMG_CACHE to a folder that can be written; nothing half-written was left."
    )
