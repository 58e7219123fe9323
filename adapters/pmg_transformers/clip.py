"""e_M, e_p and e_t of transformers' CLIP (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pmg_sdk.media import Media
from pmg_transformers.dual_scorer import DualScorer
from pmg_transformers.image_pixels import image_pixels
from pmg_transformers.media_reader import MediaModel

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = ["ClipScorer"]


class ClipScorer(DualScorer):
    """Embeds images and texts into the space of one `CLIPModel`; rows have length 1.

    Args:
        model: a transformers folder or hub id of a CLIP model, or "pmg:NAME".
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most images or texts at once; halved where memory runs out.
    """

    modality: ClassVar[str] = "image"
    _family = "CLIP"
    _classes: ClassVar = {"clip": ("CLIPModel", "CLIPProcessor")}
    _tokenizers = ("tokenizer.json", "vocab.json")

    def __init__(
        self, *, model: str = "openai/clip-vit-base-patch32", device: str = "auto", batch_size: int = 32
    ) -> None:
        super().__init__(model=model, device=device, dtype="float32", batch_size=batch_size)

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(media), width).

        Raises:
            CapabilityError: a medium is no image.
        """
        return self._embed(media, _image_features)

    def _context(self, dual: MediaModel) -> int:
        return int(dual.model.config.text_config.max_position_embeddings)


def _image_features(clip: MediaModel, media: Sequence[Media]) -> torch.Tensor:
    pixels = image_pixels(clip, media, "CLIP")
    features: torch.Tensor = clip.model.get_image_features(pixel_values=pixels).pooler_output
    return features
