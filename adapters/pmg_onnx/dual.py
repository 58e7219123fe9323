"""An exported image-text dual encoder, opened: what scorer and captioner share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_onnx.folder import ExportFolder
from pmg_onnx.graph import Graph, Settings
from pmg_onnx.picture import as_input
from pmg_onnx.record import ImageTower
from pmg_onnx.tower import Tower
from pmg_sdk.accelerator import in_batches
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.media import Media, expect_image
from pmg_sdk.tokenizable import tokenizable

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OnnxDualEncoder"]


@dataclass(frozen=True, eq=False)
class OnnxDualEncoder:
    """Both towers on ONNX Runtime; holds no state between calls."""

    folder: ExportFolder
    text: Tower
    image: ImageTower
    graph: Graph

    @classmethod
    def open(cls, model: str, settings: Settings) -> OnnxDualEncoder:
        """Check the folder's files and open its graphs.

        Raises:
            ModelFolderError: a file is missing, damaged, or not the one that was exported.
            ConfigError: the device cannot be had. MissingExtra: onnxruntime or tokenizers is not installed.
        """
        folder = ExportFolder.locate(model, "scorer")
        folder.check()
        record = folder.record
        if record.image is None:
            raise ModelFolderError(f"an image tower was expected in {folder.path}; its record names none")
        text = Tower(folder, record.towers[0], settings, limit=record.towers[0].max_tokens)
        text.load()
        return cls(folder, text, record.image, Graph.of(folder, record.image.graph, settings))

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
        files = self.folder.record.files
        return hashlib.sha256(
            "|".join(f"{name} {files[name]}" for name in sorted(files)).encode()
        ).hexdigest()

    def embed_text(self, texts: Sequence[str], *, limit: int) -> NDArray[np.float32]:
        """Unit rows, shape (len(texts), width), at most `limit` texts at once."""
        most = self.folder.record.towers[0].max_tokens
        encoded = self.text.encode([tokenizable(text, tokens=most) for text in texts], limit=limit)
        return self._stacked([row["pooled"] for row in encoded.rows])

    def embed_images(self, media: Sequence[Media], *, limit: int) -> NDArray[np.float32]:
        """Unit rows, shape (len(media), width), at most `limit` images at once.

        Raises:
            CapabilityError: a medium is no image.
        """

        def rows(batch: Sequence[Any]) -> list[NDArray[np.float32]]:
            pictures = [expect_image(medium, "an exported scorer").to_pil() for medium in batch]
            pixels = np.stack([as_input(picture, self.image.pixels) for picture in pictures])
            return list(self.graph({"pixels": pixels})["pooled"])

        return self._stacked(in_batches(media, rows, limit=limit))

    def _stacked(self, rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)
