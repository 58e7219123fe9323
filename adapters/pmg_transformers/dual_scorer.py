"""Text and media in one space, by a dual encoder of transformers: what CLIP and CLAP have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_sdk.interfaces import Scorer
from pmg_sdk.tokenizable import tokenizable
from pmg_transformers.media_reader import MediaModel, MediaReader

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["DualScorer"]


class DualScorer(MediaReader, Scorer):
    """A scorer whose rows have length 1; subclasses say how media are seen and how long a text may be."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(texts), width); texts are cut to the model's context."""
        return self._embed(texts, self._text_features)

    @abstractmethod
    def _context(self, dual: MediaModel) -> int:
        """The longest text, in tokens, special tokens included."""

    def _width(self, dual: MediaModel) -> int:
        """Of the rows."""
        return int(dual.model.config.projection_dim)

    def _text_embeddings(self, dual: MediaModel, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Of tokens, int64, shape (texts, tokens), and where they are; shape (texts, width)."""
        # The features are an output object since transformers 5: the projection lies in pooler_output.
        features: torch.Tensor = dual.model.get_text_features(
            input_ids=ids, attention_mask=mask
        ).pooler_output
        return features

    def _embed(
        self, items: Sequence[Any], features: Callable[[MediaModel, Sequence[Any]], torch.Tensor]
    ) -> NDArray[np.float32]:
        def rows(dual: MediaModel, batch: Sequence[Any]) -> list[NDArray[np.float32]]:
            import torch

            return list(torch.nn.functional.normalize(features(dual, batch).float(), dim=-1).cpu().numpy())

        found = self._run(items, rows)
        return np.stack(found) if found else np.zeros((0, self._width(self._ready())), dtype=np.float32)

    def _text_features(self, dual: MediaModel, texts: Sequence[str]) -> torch.Tensor:
        context = self._context(dual)
        tokens = dual.processor.tokenizer(
            [tokenizable(text, tokens=context) for text in texts],
            padding=True,
            padding_side="right",
            truncation=True,
            max_length=context,
            return_tensors="pt",
        )
        return self._text_embeddings(
            dual, tokens.input_ids.to(dual.device), tokens.attention_mask.to(dual.device)
        )
