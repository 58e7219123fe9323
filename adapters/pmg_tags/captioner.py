"""Says of a medium the words of a vocabulary that fit it best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_sdk.assets import cache_dir
from pmg_sdk.interfaces import Captioner
from pmg_sdk.loading import Once
from pmg_sdk.media import Media
from pmg_tags.rows import vocabulary_rows
from pmg_tags.scorer import TagScorer
from pmg_tags.vocabulary import Vocabulary, of, once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["Tag", "TagCaptioner"]

TIE = 1e-4
"""Cosines closer than this count as equal: such a difference can come from the batch or the machine."""


@dataclass(frozen=True)
class Tag:
    """One word said of a medium.

    Attributes:
        text: the word, as the vocabulary has it.
        attribute: the question it answers.
        share: its part of the softmax over the attribute's words, in [0, 1].
    """

    text: str
    attribute: str
    share: float


@dataclass(frozen=True, eq=False)
class _Ready:
    """The words that may be said; `rows` are those of an attribute, embedded, shape (words, width)."""

    vocabulary: Vocabulary
    rows: Mapping[str, NDArray[np.float32]]
    scale: float


class TagCaptioner(Captioner):
    """Says, attribute by attribute, the best-matching words: "dog face, glossy 3D style".

    The words of an attribute compete in a softmax over their cosines to the medium. Where cosines
    tie, the word that comes first in the vocabulary wins, so a caption does not change with the batch.
    The vocabulary is embedded once and kept, in memory and in the cache folder.

    Subclasses make the scorer out of their options, which should hold these too:

    Args:
        scorer: whose space media and words are compared in.
        name: of the captioner, in errors.
        vocabulary: attribute to words; by default the model folder's `tags.json`, then with the
            settings below from there too.
        silent: attribute to words that compete but are never said; see `Vocabulary`.
        template: what is embedded for a word, "{tag}" standing for it; one, or by attribute.
        threshold: smallest share of a said word, one, or by attribute; 0 says the best one always.
        top_k: most words of an attribute, one, or by attribute.
        otherwise: the caption of a medium for which no word reaches its threshold.
        cache: whether to keep the embedded vocabulary in the SDK's cache folder.

    Raises:
        ConfigError: the vocabulary or a setting is malformed.
    """

    def __init__(
        self,
        scorer: TagScorer,
        name: str,
        *,
        vocabulary: Mapping[str, Sequence[str]] | None,
        otherwise: str,
        cache: bool,
        **settings: Any,
    ) -> None:
        self._settings = {setting: value for setting, value in settings.items() if value is not None}
        self._vocabulary = (
            Vocabulary.made({"tags": vocabulary, **self._settings}, origin=name)
            if vocabulary is not None
            else None
        )
        self._scorer = scorer
        self._name = name
        self.otherwise = otherwise
        self.cache = cache
        self._words: Once[_Ready] = Once()

    def load(self, observer: Observer | None = None) -> None:
        """Load the model and embed the vocabulary.

        Raises:
            AssetError, ConfigError, ModelFolderError: model or vocabulary cannot be had.
        """
        self._ready(observer)

    def caption(self, media: Sequence[Media]) -> list[str]:
        """The said words of every medium, joined by ", ", in the vocabulary's order of attributes.

        Raises:
            CapabilityError: a medium is of another modality.
        """
        return [", ".join(once(tag.text for tag in tags)) or self.otherwise for tags in self.tags(media)]

    def tags(self, media: Sequence[Media]) -> list[tuple[Tag, ...]]:
        """What `caption` says of every medium, with the evidence; best first within an attribute."""
        ready = self._ready()
        return [
            tuple(
                tag
                for attribute, rows in ready.rows.items()
                for tag in _said(ready.vocabulary, attribute, rows @ row, ready.scale)
            )
            for row in self._scorer.embed_media(media)
        ]

    def _ready(self, observer: Observer | None = None) -> _Ready:
        return self._words.get(lambda: self._read(observer))

    def _read(self, observer: Observer | None) -> _Ready:
        self._scorer.load(observer)
        vocabulary = self._vocabulary or self._of_model()
        cache = cache_dir() / "vocabularies" if self.cache else None
        rows = vocabulary_rows(vocabulary, self._scorer, cache=cache)
        return _Ready(vocabulary, rows, self._scorer.temperature_scale)

    def _of_model(self) -> Vocabulary:
        found = Vocabulary.of_model(self._scorer.folder)
        if not self._settings:
            return found
        return Vocabulary.made({**found.model_dump(), **self._settings}, origin=self._name)


def _said(vocabulary: Vocabulary, attribute: str, cosines: NDArray[np.float32], scale: float) -> list[Tag]:
    logits = scale * cosines.astype(np.float64)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    words = vocabulary.words(attribute)
    tags = []
    for index in _best(cosines, of(vocabulary.top_k, attribute, 1)):
        if index >= vocabulary.said(attribute) or shares[index] < of(vocabulary.threshold, attribute, 0.0):
            break
        tags.append(Tag(words[index], attribute, float(shares[index])))
    return tags


def _best(cosines: NDArray[np.float32], count: int) -> list[int]:
    """Indices by falling cosine; of those that tie with the best one left, the first comes first."""
    left = cosines.astype(np.float64)
    order = []
    for _ in range(min(count, len(left))):
        order.append(int(np.argmax(left >= left.max() - TIE)))
        left[order[-1]] = -np.inf
    return order
