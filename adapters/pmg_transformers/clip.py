"""e_M, e_p and e_t of transformers' CLIP (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pmg_sdk.accelerator import choose_device, in_batches
from pmg_sdk.errors import BackendError, ConfigError, ModelFolderError, PMGError
from pmg_sdk.interfaces import Scorer
from pmg_sdk.media import Media, expect_image
from pmg_sdk.progress import Silent
from pmg_sdk.tokenizable import tokenizable
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["ClipScorer"]

FILES = ("*.json", "*.txt", "*.safetensors")


@dataclass(frozen=True)
class _Clip:
    model: Any
    processor: Any
    device: str
    context: int
    width: int


class ClipScorer(Scorer):
    """Embeds images and texts into the space of one `CLIPModel`; rows have length 1.

    Args:
        model: a transformers folder or hub id of a CLIP model, or "pmg:NAME".
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most images or texts at once; halved where memory runs out.
    """

    modality: ClassVar[str] = "image"

    def __init__(
        self, *, model: str = "openai/clip-vit-base-patch32", device: str = "auto", batch_size: int = 32
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch_size: expected 1 or more; got {batch_size}")
        self.model = model
        self.device = device
        self.batch_size = batch_size
        self._clip: _Clip | None = None

    def load(self, observer: Observer | None = None) -> None:
        """Load the model.

        Raises:
            AssetError, ConfigError: the model or the device cannot be had.
            ModelFolderError: files are missing, damaged, or of another kind of model.
        """
        if self._clip is None:
            self._clip = _load(self.model, self.device, observer or Silent())

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(texts), width); texts are cut to the model's context."""
        return self._embed(texts, _text_features)

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(media), width).

        Raises:
            CapabilityError: a medium is no image.
        """
        return self._embed(media, _image_features)

    def _embed(self, items: Sequence[Any], features: Any) -> NDArray[np.float32]:
        import torch

        self.load()
        clip = self._clip
        assert clip is not None
        if not items:
            return np.zeros((0, clip.width), dtype=np.float32)

        def rows(batch: Sequence[Any]) -> list[NDArray[np.float32]]:
            found: torch.Tensor = features(clip, batch)
            return list(torch.nn.functional.normalize(found.float(), dim=-1).cpu().numpy())

        try:
            with torch.inference_mode():
                return np.stack(in_batches(items, rows, limit=self.batch_size))
        except PMGError:
            raise
        except Exception as error:
            raise BackendError(f"CLIP failed to embed: {type(error).__name__}: {error}") from error


def _load(model: str, device: str, observer: Observer) -> _Clip:
    from transformers import CLIPModel, CLIPProcessor

    folder = ModelFolder.locate(model, only=FILES, observer=observer)
    config = folder.json("config.json")
    if config.get("model_type") != "clip":
        raise ModelFolderError(
            f"a CLIP model was expected in {folder.path}; its config.json says {config.get('model_type')!r}"
        )
    weights = folder.weights("model")
    if not folder.has("processor_config.json"):
        folder.require("preprocessor_config.json")
    if not folder.has("tokenizer.json"):
        folder.require("vocab.json")
    chosen = choose_device(device)
    observer.start("load CLIP", 1)
    try:
        read: Any = CLIPModel.from_pretrained  # its type leaves out the loading report
        loaded, report = read(
            folder.path,
            variant=weights.variant,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        processor = CLIPProcessor.from_pretrained(folder.path, local_files_only=True)
    except Exception as error:  # transformers, tokenizers and safetensors fail in many ways
        raise ModelFolderError(
            f"a CLIP model was expected in {folder.path}; it cannot be loaded "
            f"({type(error).__name__}: {error}). Download it again."
        ) from error
    if report["missing_keys"]:
        raise ModelFolderError(
            f"the weights in {folder.path} lack {len(report['missing_keys'])} tensors, for example "
            f"{min(report['missing_keys'])}. Complete the folder, or name another model."
        )
    observer.advance("load CLIP")
    return _Clip(
        model=loaded.eval().float().requires_grad_(False).to(chosen),
        processor=processor,
        device=chosen,
        context=loaded.config.text_config.max_position_embeddings,
        width=loaded.config.projection_dim,
    )


def _text_features(clip: _Clip, texts: Sequence[str]) -> Any:
    clean = [tokenizable(text, tokens=clip.context) for text in texts]
    tokens = clip.processor.tokenizer(
        clean, padding=True, truncation=True, max_length=clip.context, return_tensors="pt"
    )
    # The features are an output object since transformers 5: the projection lies in pooler_output.
    return clip.model.get_text_features(
        input_ids=tokens.input_ids.to(clip.device), attention_mask=tokens.attention_mask.to(clip.device)
    ).pooler_output


def _image_features(clip: _Clip, media: Sequence[Media]) -> Any:
    pictures = [expect_image(medium, "CLIP").to_pil() for medium in media]
    pixels = clip.processor.image_processor(pictures, return_tensors="pt").pixel_values
    return clip.model.get_image_features(pixel_values=pixels.to(clip.device)).pooler_output
