"""A transformers model that reads media, out of a folder: what CLIP, CLAP and BLIP have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from weakref import WeakValueDictionary

from pmg_sdk.accelerator import check_batch_size, check_dtype, choose_device, choose_dtype, in_batches
from pmg_sdk.errors import BackendError, ModelFolderError, PMGError
from pmg_sdk.loading import Once, loading
from pmg_sdk.progress import Silent
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    from pathlib import Path

    from pmg_sdk.progress import Observer

__all__ = ["MediaModel", "MediaReader"]

FILES = ("*.json", "*.txt", "*.safetensors")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class MediaModel:
    """A model in evaluation mode on `device`, and its processor.

    Attributes:
        kind: its config's `model_type`.
        folder: that it was read from.
    """

    kind: str
    model: Any
    processor: Any
    device: str
    folder: Path


_loaded: WeakValueDictionary[tuple[str, str, Path, str, str], MediaModel] = WeakValueDictionary()


class MediaReader:
    """An adapter around one such model: it is loaded at its first use, and run in batches that fit.

    Readers of one process that name the same folder, device and dtype share the model in it.

    Subclasses name themselves in `_family`, the classes of transformers for every `model_type` they read
    in `_classes` (model and processor), and the files one of which a tokenizer needs in `_tokenizers`.
    `_variant` tells apart models that are made of the same folder.
    """

    _family: ClassVar[str]
    _classes: ClassVar[Mapping[str, tuple[str, str]]]
    _tokenizers: ClassVar[tuple[str, ...]]
    _variant: str = ""

    def __init__(self, *, model: str, device: str, dtype: str, batch_size: int) -> None:
        check_dtype(dtype)
        check_batch_size(batch_size)
        self.model = model
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self._model: Once[MediaModel] = Once()

    def load(self, observer: Observer | None = None) -> None:
        """Load the model.

        Raises:
            AssetError, ConfigError: the model or the device cannot be had.
            ModelFolderError: files are missing, damaged, or of another kind of model.
        """
        self._ready(observer)

    def _ready(self, observer: Observer | None = None) -> MediaModel:
        return self._model.get(lambda: self._shared(observer or Silent()))

    def _run(self, items: Sequence[T], run: Callable[[MediaModel, Sequence[T]], Sequence[R]]) -> list[R]:
        """`run` over all items in order, without gradients, in batches that fit."""
        import torch

        model = self._ready()
        try:
            with torch.inference_mode():
                return in_batches(items, lambda batch: run(model, batch), limit=self.batch_size)
        except PMGError:
            raise
        except Exception as error:
            raise BackendError(f"{self._family} failed: {type(error).__name__}: {error}") from error

    def _folder(self, observer: Observer) -> ModelFolder:
        return ModelFolder.locate(self.model, only=FILES, observer=observer)

    def _shared(self, observer: Observer) -> MediaModel:
        folder = self._folder(observer)
        device = choose_device(self.device)
        dtype = str(choose_dtype(self.dtype, device))
        key = (self._family, self._variant, folder.path.resolve(), device, dtype)
        with loading():
            found = _loaded.get(key)
            if found is None:
                found = _loaded[key] = self._read(folder, device, observer)
            return found

    def _read(self, folder: ModelFolder, device: str, observer: Observer) -> MediaModel:
        import transformers

        kind = str(folder.json("config.json").get("model_type"))
        if kind not in self._classes:
            raise ModelFolderError(
                f"a model of type {' or '.join(self._classes)} was expected in {folder.path}; "
                f"its config.json says {kind!r}. Name another folder."
            )
        folder.require("processor_config.json", "preprocessor_config.json")
        folder.require(*self._tokenizers)
        stage = f"load {self._family}"
        observer.start(stage, 1)
        model_class, processor_class = (getattr(transformers, name) for name in self._classes[kind])
        model = folder.model(model_class, f"{kind} model", dtype=choose_dtype(self.dtype, device))
        processor = folder.read(processor_class, f"{kind} processor")
        observer.advance(stage)
        return MediaModel(kind, model.eval().requires_grad_(False).to(device), processor, device, folder.path)
