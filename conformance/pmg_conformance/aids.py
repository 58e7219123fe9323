"""Folders of sample media, as checks are given them."""

from __future__ import annotations

from pathlib import Path

from pmg_sdk.errors import InputError
from pmg_sdk.media import Image

__all__ = ["media_in", "pairs_in"]

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif"}


def media_in(folder: Path) -> tuple[Image, ...]:
    """The pictures of a folder, by name.

    Raises:
        InputError: there is no such folder, or no picture in it.
        MediaError: a picture cannot be read.
    """
    return tuple(Image.open(path) for path in _pictures(folder))


def pairs_in(folder: Path) -> tuple[tuple[str, Image], ...]:
    """Texts with a picture of each: `red_cat.png` shows "red cat".

    Raises:
        InputError: there is no such folder, or fewer than two pictures in it.
        MediaError: a picture cannot be read.
    """
    pairs = tuple((path.stem.replace("_", " "), Image.open(path)) for path in _pictures(folder))
    if len(pairs) < 2:
        raise InputError(f"at least two pictures were expected in {folder}: a pair is told from another")
    return pairs


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"a folder of pictures was expected at {folder}; there is none")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS)
    if not found:
        raise InputError(
            f"pictures ({', '.join(sorted(_ENDINGS))}) were expected in {folder}; there are none"
        )
    return found
