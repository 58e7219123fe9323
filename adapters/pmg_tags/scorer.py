"""What a tag captioner asks of a model: a scorer's work, and what tells its embeddings apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pmg_sdk.media import Media

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["TagScorer"]


class TagScorer(Protocol):
    """A `Scorer` of unit rows that can also say which model it is."""

    def load(self, observer: Observer | None = None) -> None:
        """Load the model; calling it twice costs nothing."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows, shape (len(texts), width)."""

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Unit rows, shape (len(media), width)."""

    @property
    def temperature_scale(self) -> float:
        """What cosines of a medium to texts are multiplied by before a softmax; learned in training."""

    @property
    def folder(self) -> Path | None:
        """The model's folder, where it has one: its `tags.json` may lie there."""

    @property
    def identity(self) -> str:
        """Changes with the weights: rows are kept under it."""
