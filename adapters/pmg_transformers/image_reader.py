"""A transformers model that reads images, out of a folder: what CLIP and BLIP have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pmg_sdk.accelerator import check_batch_size, check_dtype, choose_device, choose_dtype, in_batches
from pmg_sdk.errors import BackendError, ModelFolderError, PMGError
from pmg_sdk.loading import Once
from pmg_sdk.media import Media, expect_image
from pmg_sdk.progress import Silent
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch

    from pmg_sdk.progress import Observer

__all__ = ["ImageModel", "ImageReader"]

FILES = ("*.json", "*.txt", "*.safetensors")

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class ImageModel:
    """A model in evaluation mode on `device`, and its processor; `kind` is its config's `model_type`."""

    kind: str
    model: Any
    processor: Any
    device: str

    def pixels(self, media: Sequence[Media], reader: str) -> torch.Tensor:
        """Images as the model takes them.

        Raises:
            CapabilityError: a medium is no image; `reader` is named as what cannot read it.
        """
        pictures = [expect_image(medium, reader).to_pil() for medium in media]
        pixels: torch.Tensor = self.processor.image_processor(pictures, return_tensors="pt").pixel_values
        return pixels.to(self.device, self.model.dtype)


class ImageReader:
    """An adapter around one such model: it is loaded at its first use, and run in batches that fit.

    Subclasses name themselves in `_family`, the classes of transformers for every `model_type` they read
    in `_classes` (model and processor), and the files one of which a tokenizer needs in `_tokenizers`.
    """

    modality: ClassVar[str] = "image"
    _family: ClassVar[str]
    _classes: ClassVar[Mapping[str, tuple[str, str]]]
    _tokenizers: ClassVar[tuple[str, ...]]

    def __init__(self, *, model: str, device: str, dtype: str, batch_size: int) -> None:
        check_dtype(dtype)
        check_batch_size(batch_size)
        self.model = model
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self._loaded: Once[ImageModel] = Once()

    def load(self, observer: Observer | None = None) -> None:
        """Load the model.

        Raises:
            AssetError, ConfigError: the model or the device cannot be had.
            ModelFolderError: files are missing, damaged, or of another kind of model.
        """
        self._ready(observer)

    def _ready(self, observer: Observer | None = None) -> ImageModel:
        return self._loaded.get(lambda: self._read(observer or Silent()))

    def _run(self, items: Sequence[T], run: Callable[[ImageModel, Sequence[T]], Sequence[R]]) -> list[R]:
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

    def _read(self, observer: Observer) -> ImageModel:
        import transformers

        folder = ModelFolder.locate(self.model, only=FILES, observer=observer)
        kind = str(folder.json("config.json").get("model_type"))
        if kind not in self._classes:
            raise ModelFolderError(
                f"a model of type {' or '.join(self._classes)} was expected in {folder.path}; "
                f"its config.json says {kind!r}. Name another folder."
            )
        folder.require("processor_config.json", "preprocessor_config.json")
        folder.require(*self._tokenizers)
        device = choose_device(self.device)
        stage = f"load {self._family}"
        observer.start(stage, 1)
        model_class, processor_class = (getattr(transformers, name) for name in self._classes[kind])
        model = folder.model(model_class, f"{kind} model", dtype=choose_dtype(self.dtype, device))
        processor = folder.read(processor_class, f"{kind} processor")
        observer.advance(stage)
        return ImageModel(kind, model.eval().requires_grad_(False).to(device), processor, device)
