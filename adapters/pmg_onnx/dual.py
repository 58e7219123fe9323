"""An exported dual encoder of images or sounds, opened: what scorer and captioner share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

import numpy as np

from pmg_onnx.folder import ExportFolder
from pmg_onnx.graph import Graph, Settings
from pmg_onnx.image_reader import ImageReader
from pmg_onnx.sound_reader import SoundReader, features_of
from pmg_onnx.tower import Tower
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.loading import loading
from pmg_sdk.media import Media
from pmg_sdk.tokenizable import tokenizable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MediaReader", "OnnxDualEncoder"]


class MediaReader(Protocol):
    """The tower that reads media, and what prepares them for it."""

    @property
    def graph(self) -> Graph:
        """The tower."""

    def embed(self, media: Sequence[Media], *, limit: int) -> list[NDArray[np.float32]]:
        """A unit row for every medium; `limit` is what runs at once."""


@dataclass(frozen=True, eq=False)
class OnnxDualEncoder:
    """Both towers on ONNX Runtime; holds no state between calls."""

    folder: ExportFolder
    text: Tower
    media: MediaReader

    @classmethod
    def open(cls, folder: ExportFolder, settings: Settings) -> OnnxDualEncoder:
        """Check the folder's files and open its graphs, or take what this process has open already.

        Raises:
            ModelFolderError: a file is missing, damaged, or not the one that was exported.
            ConfigError: the device cannot be had. MissingExtra: onnxruntime or tokenizers is not installed.
        """
        key = (folder.path.resolve(), _identity(folder), settings)
        with loading():
            found = _open.get(key)
            if found is None:
                found = _open[key] = cls._opened(folder, settings)
            return found

    @classmethod
    def _opened(cls, folder: ExportFolder, settings: Settings) -> OnnxDualEncoder:
        folder.check()
        tower = folder.record.towers[0]
        text = Tower(folder, tower, settings, limit=tower.max_tokens)
        text.load()
        return cls(folder, text, _media_reader(folder, settings))

    @property
    def width(self) -> int:
        """Of the embeddings."""
        return self.folder.record.width

    @property
    def temperature_scale(self) -> float:
        """What cosines are multiplied by before a softmax; learned in training."""
        return self.folder.record.temperature

    @cached_property
    def identity(self) -> str:
        """Changes with the files."""
        return _identity(self.folder)

    def embed_text(self, texts: Sequence[str], *, limit: int) -> NDArray[np.float32]:
        """Unit rows, shape (len(texts), width), at most `limit` texts at once."""
        most = self.folder.record.towers[0].max_tokens
        encoded = self.text.encode([tokenizable(text, tokens=most) for text in texts], limit=limit)
        return self._stacked([row["pooled"] for row in encoded.rows])

    def embed_media(self, media: Sequence[Media], *, limit: int) -> NDArray[np.float32]:
        """Unit rows, shape (len(media), width), at most `limit` images, or windows of sounds, at once.

        Raises:
            CapabilityError: a medium is of another modality.
        """
        return self._stacked(self.media.embed(media, limit=limit))

    def _stacked(self, rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)


_open: WeakValueDictionary[tuple[Path, str, Settings], OnnxDualEncoder] = WeakValueDictionary()


def _identity(folder: ExportFolder) -> str:
    files = folder.record.files
    return hashlib.sha256("|".join(f"{name} {files[name]}" for name in sorted(files)).encode()).hexdigest()


def _media_reader(folder: ExportFolder, settings: Settings) -> MediaReader:
    record = folder.record
    if record.image is not None:
        return ImageReader(Graph.of(folder, record.image.graph, settings), record.image.pixels)
    if record.sound is not None:
        return SoundReader(
            Graph.of(folder, record.sound.graph, settings), features_of(folder, record.sound.hearing)
        )
    raise ModelFolderError(f"an image or sound tower was expected in {folder.path}; its record names none")
