"""e_M, e_p and e_t of transformers' CLIP (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pmg_sdk.interfaces import Scorer
from pmg_sdk.media import Media
from pmg_sdk.tokenizable import tokenizable
from pmg_transformers.image_reader import ImageModel, ImageReader

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["ClipScorer"]


class ClipScorer(ImageReader, Scorer):
    """Embeds images and texts into the space of one `CLIPModel`; rows have length 1.

    Args:
        model: a transformers folder or hub id of a CLIP model, or "pmg:NAME".
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most images or texts at once; halved where memory runs out.
    """

    _family = "CLIP"
    _classes: ClassVar = {"clip": ("CLIPModel", "CLIPProcessor")}
    _tokenizers = ("tokenizer.json", "vocab.json")

    def __init__(
        self, *, model: str = "openai/clip-vit-base-patch32", device: str = "auto", batch_size: int = 32
    ) -> None:
        super().__init__(model=model, device=device, dtype="float32", batch_size=batch_size)

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(texts), width); texts are cut to the model's context."""
        return self._embed(texts, _text_features)

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(media), width).

        Raises:
            CapabilityError: a medium is no image.
        """
        return self._embed(media, _image_features)

    def _embed(
        self, items: Sequence[Any], features: Callable[[ImageModel, Sequence[Any]], torch.Tensor]
    ) -> NDArray[np.float32]:
        def rows(clip: ImageModel, batch: Sequence[Any]) -> list[NDArray[np.float32]]:
            import torch

            return list(torch.nn.functional.normalize(features(clip, batch).float(), dim=-1).cpu().numpy())

        found = self._run(items, rows)
        width = self._ready().model.config.projection_dim
        return np.stack(found) if found else np.zeros((0, width), dtype=np.float32)


def _text_features(clip: ImageModel, texts: Sequence[str]) -> Any:
    context = clip.model.config.text_config.max_position_embeddings
    tokens = clip.processor.tokenizer(
        [tokenizable(text, tokens=context) for text in texts],
        padding=True,
        truncation=True,
        max_length=context,
        return_tensors="pt",
    )
    # The features are an output object since transformers 5: the projection lies in pooler_output.
    return clip.model.get_text_features(
        input_ids=tokens.input_ids.to(clip.device), attention_mask=tokens.attention_mask.to(clip.device)
    ).pooler_output


def _image_features(clip: ImageModel, media: Sequence[Media]) -> Any:
    return clip.model.get_image_features(pixel_values=clip.pixels(media, "CLIP")).pooler_output
