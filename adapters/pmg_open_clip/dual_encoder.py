"""A loaded open_clip model, shared by the scorer and the captioner that name the same one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from pmg_open_clip.source import Source, locate
from pmg_sdk.accelerator import choose_device, in_batches
from pmg_sdk.errors import BackendError, ModelFolderError, PMGError
from pmg_sdk.loading import loading
from pmg_sdk.media import Media, expect_image
from pmg_sdk.progress import Silent
from pmg_sdk.tokenizable import tokenizable
from pmg_tags.identity import identity

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["DualEncoder", "load_dual_encoder"]

_loaded: WeakValueDictionary[tuple[str, str | None, str], DualEncoder] = WeakValueDictionary()


def load_dual_encoder(
    model: str, pretrained: str | None = None, *, device: str = "auto", observer: Observer | None = None
) -> DualEncoder:
    """The model, loaded once per process as long as anyone holds it.

    Raises:
        AssetError, ConfigError: see `locate`.
        ModelFolderError: files are missing, damaged, or of another architecture than the folder says.
    """
    source = locate(model, pretrained, observer)
    chosen = choose_device(device)
    key = (source.name, source.pretrained, chosen)
    with loading():
        found = _loaded.get(key)
        if found is None:
            found = _loaded[key] = DualEncoder.load(source, chosen, observer)
        return found


class DualEncoder:
    """Text and image towers with their tokenizer and preprocessing; holds no state between calls."""

    def __init__(self, source: Source, model: Any, preprocess: Any, tokenizer: Any, device: str) -> None:
        self.source = source
        self.device = device
        self.model = model
        self.preprocess = preprocess
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, source: Source, device: str, observer: Observer | None = None) -> DualEncoder:
        """Build the model on `device` and fill it with its weights."""
        import open_clip

        observer = observer or Silent()
        observer.start("load image-text encoder", 1)
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                source.name, source.pretrained, device=device, **source.options
            )
            tokenizer = open_clip.get_tokenizer(source.name)
        except PMGError:
            raise
        except Exception as error:  # open_clip, timm, safetensors and the network fail in many ways
            raise ModelFolderError(
                f"an open_clip model was expected at {source.folder or source.name}; it cannot be loaded "
                f"({type(error).__name__}: {_short(error)}). Check the files, or the network for a hub id."
            ) from error
        observer.advance("load image-text encoder")
        return cls(source, model.eval().requires_grad_(False), preprocess, tokenizer, device)

    @property
    def width(self) -> int:
        """Of the embeddings."""
        return int(self.embed_text([""], limit=1).shape[1])

    @property
    def temperature_scale(self) -> float:
        """What cosines are multiplied by before a softmax; learned in training."""
        return float(self.model.logit_scale.exp().float().max())

    @cached_property
    def identity(self) -> str:
        """Changes with the weights, see `pmg_tags.identity`."""
        name = "" if self.source.folder is not None else self.source.name
        return identity(f"{name}|{self.source.pretrained}", self.source.folder)

    def embed_text(self, texts: Sequence[str], *, limit: int) -> NDArray[np.float32]:
        """Unit rows, shape (len(texts), width), at most `limit` texts at once."""
        # Equal lengths together, so that little padding is computed.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows = self._run([texts[i] for i in order], self._text_rows, limit)
        result = np.empty_like(rows)
        result[order] = rows
        return result

    def embed_images(self, media: Sequence[Media], *, limit: int) -> NDArray[np.float32]:
        """Unit rows, shape (len(media), width), at most `limit` images at once."""
        return self._run(media, self._image_rows, limit)

    def _run(self, items: Sequence[Any], rows: Any, limit: int) -> NDArray[np.float32]:
        import torch

        if not items:
            return np.zeros((0, self.width), dtype=np.float32)
        try:
            with torch.inference_mode():
                return np.stack(in_batches(items, rows, limit=limit)).astype(np.float32, copy=False)
        except PMGError:
            raise
        except Exception as error:
            raise BackendError(
                f"open_clip failed to embed: {type(error).__name__}: {_short(error)}"
            ) from error

    def _text_rows(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        context = int(self.tokenizer.context_length)
        ids = self.tokenizer([tokenizable(text, tokens=context) for text in texts])
        ids = self._without_padding(ids).to(self.device)
        return _rows(self.model.encode_text(ids, normalize=True))

    def _without_padding(self, ids: torch.Tensor) -> torch.Tensor:
        """Cut columns that are padding in every row; towers that mask padding give the same embeddings."""
        from open_clip.hf_model import HFTextEncoder

        tower = getattr(self.model, "text", None)
        if not isinstance(tower, HFTextEncoder):
            return ids
        used = (ids != tower.config.pad_token_id).any(dim=0).nonzero()
        return ids[:, : int(used.max()) + 1] if len(used) else ids

    def _image_rows(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        import torch

        pixels = torch.stack(
            [self.preprocess(expect_image(medium, "open_clip").to_pil()) for medium in media]
        )
        return _rows(self.model.encode_image(pixels.to(self.device), normalize=True))


def _rows(features: torch.Tensor) -> list[NDArray[np.float32]]:
    return list(features.float().cpu().numpy())


def _short(error: Exception) -> str:
    """The first line of a message that may list every tensor of a model."""
    return str(error).strip().partition("\n")[0][:300]
