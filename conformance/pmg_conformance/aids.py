"""Folders of sample media, as checks are given them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pmg_sdk.errors import InputError
from pmg_sdk.media import Media
from pmg_sdk.media_files import FILE_KINDS

__all__ = ["media_in", "pairs_in"]


def media_in(folder: Path) -> tuple[Media, ...]:
    """The pictures and sounds of a folder, by name.

    Raises:
        InputError: there is no such folder, or no medium in it.
        MediaError: one of them cannot be read.
        MissingExtra: what reads sounds is not installed.
    """
    return tuple(medium for _, medium in _media(folder))


def pairs_in(folder: Path) -> tuple[tuple[str, Media], ...]:
    """Texts with a medium of each: `red_cat.png` shows "red cat", `calm_piano.wav` sounds like it.

    Raises:
        InputError: there is no such folder, or fewer than two media in it.
        MediaError, MissingExtra: as `media_in`.
    """
    pairs = tuple((path.stem.replace("_", " "), medium) for path, medium in _media(folder))
    if len(pairs) < 2:
        raise InputError(f"at least two media were expected in {folder}: a pair is told from another")
    return pairs


def _media(folder: Path) -> Iterator[tuple[Path, Media]]:
    if not folder.is_dir():
        raise InputError(f"a folder of pictures or sounds was expected at {folder}; there is none")
    kind_of = {ending: kind for kind in FILE_KINDS.values() for ending in kind.endings}
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in kind_of)
    if not found:
        endings = ", ".join(sorted(kind_of))
        raise InputError(f"pictures or sounds ({endings}) were expected in {folder}; there are none")
    for path in found:
        yield path, kind_of[path.suffix.lower()].open(path)
