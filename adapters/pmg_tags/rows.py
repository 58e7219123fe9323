"""The words of a vocabulary as rows of a model's space, kept for the next process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.errors import StorageError
from pmg_sdk.storage import replacing
from pmg_tags.scorer import TagScorer
from pmg_tags.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["vocabulary_rows"]


def vocabulary_rows(
    vocabulary: Vocabulary, scorer: TagScorer, *, cache: Path | None = None
) -> dict[str, NDArray[np.float32]]:
    """Attribute to unit rows, one for each of its words.

    Args:
        cache: folder where the rows are kept, by model and words; None keeps nothing.
    """
    prompts = [prompt for attribute in vocabulary.tags for prompt in vocabulary.prompts(attribute)]
    rows = scorer.embed_text(prompts) if cache is None else _kept(scorer, prompts, cache)
    counts = [len(vocabulary.words(attribute)) for attribute in vocabulary.tags]
    return dict(zip(vocabulary.tags, np.split(rows, np.cumsum(counts)[:-1]), strict=True))


def _kept(scorer: TagScorer, prompts: Sequence[str], cache: Path) -> NDArray[np.float32]:
    key = hashlib.sha256(json.dumps([scorer.identity, *prompts]).encode()).hexdigest()
    path = cache / f"{key}.npy"
    try:
        kept = np.load(path, allow_pickle=False)
        if kept.dtype == np.float32 and kept.ndim == 2 and len(kept) == len(prompts):
            return np.asarray(kept)
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or damaged: computed again below
    rows = scorer.embed_text(prompts)
    try:
        with replacing(path) as scratch, scratch.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
    except StorageError:
        pass  # a cache that cannot be written costs time, not the caption
    return rows
