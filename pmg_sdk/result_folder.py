"""Writing a folder in one step: all of its files appear, or what was there stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from pmg_sdk.errors import StorageError
from pmg_sdk.storage import scratch_beside

__all__ = ["check_replaceable", "replacing_folder"]


def check_replaceable(folder: Path, *, marker: str, others: Collection[str]) -> None:
    """Refuse what `replacing_folder` would refuse, and change nothing: worth asking before long work.

    Raises:
        StorageError: `folder` holds something else, or nothing can be made beside it.
    """
    folder = folder.resolve()
    try:
        usable = not folder.exists() or _may_be_replaced(folder, marker, others)
        above = next(parent for parent in folder.parents if parent.exists())
    except OSError as error:
        raise StorageError(f"cannot read {folder}: {error.strerror}. Choose another folder.") from error
    if not usable:
        raise StorageError(
            f"a new folder, an empty one or an earlier result was expected at {folder}; it holds something "
            "else. Choose another folder; nothing was changed."
        )
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        problem = "may not be written to" if above.is_dir() else "is no folder"
        raise StorageError(f"cannot write {folder}: {above} {problem}. Choose another folder.")


@contextmanager
def replacing_folder(folder: Path, *, marker: str, others: Collection[str]) -> Iterator[Path]:
    """A scratch folder beside `folder` that takes its place when the block ends well.

    A folder that is there already is replaced only when it is empty, or holds `marker`, a file that
    tells it was written this way, and nothing but what such a folder holds; on any error, Ctrl-C
    included, it is left as it was.

    Args:
        others: names, as patterns like "winner.*", of what may stand beside the marker.

    Raises:
        StorageError: `folder` holds something else, or cannot be written.
    """
    folder = folder.resolve()  # "." has no name, and a link is followed rather than replaced
    check_replaceable(folder, marker=marker, others=others)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = scratch_beside(folder)
        os.mkdir(scratch, 0o777)  # less the umask, as every new folder
    except OSError as error:
        raise StorageError(f"cannot write {folder}: {error.strerror}. Choose another folder.") from error
    old = scratch.with_suffix(".old")
    try:
        yield scratch
        if folder.exists():
            os.rename(folder, old)
        os.rename(scratch, folder)
    except OSError as error:
        raise StorageError(
            f"cannot write {folder}: {error.strerror or error}. Free some space or choose another folder; "
            f"nothing was changed."
        ) from error
    finally:
        if old.exists() and not folder.exists():
            os.rename(old, folder)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _may_be_replaced(folder: Path, marker: str, others: Collection[str]) -> bool:
    # Everything in it will be removed, and many programs write a file of the marker's name.
    if not folder.is_dir():
        return False
    names = {entry.name for entry in folder.iterdir()}
    foreign = [name for name in names if not any(fnmatchcase(name, one) for one in (marker, *others))]
    return not names or (marker in names and not foreign)
