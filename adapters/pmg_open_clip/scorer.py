"""e_M, e_p and e_t of an open_clip model (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pmg_open_clip.dual_encoder import DualEncoder, load_dual_encoder
from pmg_sdk.accelerator import check_batch_size
from pmg_sdk.interfaces import Scorer
from pmg_sdk.loading import Once
from pmg_sdk.media import Media

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["OpenClipScorer"]


class OpenClipScorer(Scorer):
    """Embeds images and texts into the space of one open_clip model; rows have length 1.

    Images are resized, padded or cropped and normalised as the model's own `preprocess_cfg` says,
    without anything random.

    Args:
        model: an open_clip folder, "pmg:NAME", a hub id, or an open_clip architecture such as "ViT-B-32".
        pretrained: the weights of an architecture: open_clip's tag, or a file.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most images or texts at once; halved where memory runs out.
    """

    modality: ClassVar[str] = "image"

    def __init__(
        self,
        *,
        model: str = "pmg:emoji-clip",
        pretrained: str | None = None,
        device: str = "auto",
        batch_size: int = 32,
    ) -> None:
        check_batch_size(batch_size)
        self.model = model
        self.pretrained = pretrained
        self.device = device
        self.batch_size = batch_size
        self._encoder: Once[DualEncoder] = Once()

    def load(self, observer: Observer | None = None) -> None:
        """Load the model.

        Raises:
            AssetError, ConfigError, ModelFolderError: it cannot be had, see the message.
        """
        self._loaded(observer)

    @property
    def temperature_scale(self) -> float:
        """What cosines are multiplied by before a softmax; learned in training."""
        return self._loaded().temperature_scale

    @property
    def folder(self) -> Path | None:
        """The model's folder, where it is one."""
        return self._loaded().source.folder

    @property
    def identity(self) -> str:
        """Changes with the weights."""
        return self._loaded().identity

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(texts), width); texts are cut to the model's context."""
        return self._loaded().embed_text(texts, limit=self.batch_size)

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(media), width).

        Raises:
            CapabilityError: a medium is no image.
        """
        return self._loaded().embed_images(media, limit=self.batch_size)

    def _loaded(self, observer: Observer | None = None) -> DualEncoder:
        return self._encoder.get(
            lambda: load_dual_encoder(self.model, self.pretrained, device=self.device, observer=observer)
        )
