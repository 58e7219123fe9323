"""Which media files can hold, by modality: the one list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pmg_sdk.audio import Audio
from pmg_sdk.media import Image, Media

__all__ = ["FILE_KINDS", "FileKind"]


@dataclass(frozen=True)
class FileKind:
    """Files of one modality.

    Attributes:
        modality: of what they hold.
        endings: of their names, lower case, with the dot.
        open: reads one, within the default limits.
    """

    modality: str
    endings: frozenset[str]
    open: Callable[[Path], Media]


FILE_KINDS: Mapping[str, FileKind] = {
    kind.modality: kind
    for kind in (
        FileKind("image", frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"}), Image.open),
        FileKind("audio", frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3"}), Audio.open),
    )
}
"""Modality -> its files. A behaviour file names them under the modality's name."""
