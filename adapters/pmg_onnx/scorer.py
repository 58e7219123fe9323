"""e_M, e_p and e_t of an exported dual encoder, on ONNX Runtime (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pmg_onnx.dual import OnnxDualEncoder
from pmg_onnx.folder import ExportFolder
from pmg_onnx.graph import Settings
from pmg_sdk.accelerator import check_batch_size
from pmg_sdk.interfaces import Scorer
from pmg_sdk.loading import Once
from pmg_sdk.media import Media

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["OnnxScorer"]


class OnnxScorer(Scorer):
    """A scorer that `pmg export scorer` made, without torch: the same rows as the original, of length 1.

    It judges images or sounds, whichever the original did. Sounds are heard as `ClapScorer` hears them.
    Scorers and captioners of one process that name the same folder and settings share the open model.

    Args:
        model: the exported folder.
        device: "auto" (CUDA where ONNX Runtime can use it, then the CPU), "cpu", "cuda" or "cuda:N".
        batch_size: most images, windows of sounds, or texts at once; halved where memory runs out.
        threads: of the CPU; None takes one for every core.
        io_binding: on CUDA, keep inputs and outputs on the device until a call is done.
        cache: keep the graphs optimised for this machine in the SDK's cache folder: a quicker start.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        batch_size: int = 32,
        threads: int | None = None,
        io_binding: bool = True,
        cache: bool = True,
    ) -> None:
        check_batch_size(batch_size)
        self.model = model
        self.batch_size = batch_size
        self._settings = Settings(device, threads, io_binding, cache)
        self._found: Once[ExportFolder] = Once()
        self._dual: Once[OnnxDualEncoder] = Once()

    @property
    def modality(self) -> str:
        """What it judges, "image" or "audio", as the folder's record says; opens no model.

        Raises:
            ModelFolderError: there is no exported scorer at `model`.
        """
        return self._located.record.modality

    @property
    def folder(self) -> Path:
        """The exported folder."""
        return self._located.path

    @property
    def identity(self) -> str:
        """Changes with the files."""
        return self._loaded().identity

    @property
    def temperature_scale(self) -> float:
        """What cosines of a medium to texts are multiplied by before a softmax; learned in training."""
        return self._located.record.temperature

    @property
    def provider(self) -> str:
        """What the graphs run on, in ONNX Runtime's words; loads them."""
        return self._loaded().media.graph.provider

    def load(self, observer: Observer | None = None) -> None:
        """Check the files, open tokenizer and graphs; a second call costs nothing.

        Raises:
            ModelFolderError: a file is missing, damaged, or not the one that was exported.
            ConfigError: the device cannot be had. MissingExtra: onnxruntime or tokenizers is not installed.
        """
        if observer is not None:
            observer.start("load", 1)
        self._loaded()
        if observer is not None:
            observer.advance("load")

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(texts), width); texts are cut to the model's context."""
        return self._loaded().embed_text(texts, limit=self.batch_size)

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(media), width).

        Raises:
            CapabilityError: a medium is of another modality.
            MissingExtra: a sound has another rate than the model, and soxr is not installed.
        """
        return self._loaded().embed_media(media, limit=self.batch_size)

    @property
    def _located(self) -> ExportFolder:
        return self._found.get(lambda: ExportFolder.locate(self.model, "scorer"))

    def _loaded(self) -> OnnxDualEncoder:
        return self._dual.get(lambda: OnnxDualEncoder.open(self._located, self._settings))
