"""Captions without a language model: the words of a vocabulary that fit an image best (section 3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pmg_open_clip.dual_encoder import DualEncoder, load_dual_encoder
from pmg_open_clip.vocabulary import Vocabulary, of, once
from pmg_sdk.accelerator import check_batch_size
from pmg_sdk.assets import cache_dir
from pmg_sdk.interfaces import Captioner
from pmg_sdk.loading import Once
from pmg_sdk.media import Media

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["OpenClipTagCaptioner", "Tag"]

TIE = 1e-4
"""Cosines closer than this count as equal: such a difference can come from the batch or the machine."""


@dataclass(frozen=True)
class Tag:
    """One word said of an image.

    Attributes:
        text: the word, as the vocabulary has it.
        attribute: the question it answers.
        share: its part of the softmax over the attribute's words, in [0, 1].
    """

    text: str
    attribute: str
    share: float


@dataclass(frozen=True, eq=False)
class _Tagger:
    """A model and the words it may say; `rows` are those of an attribute, embedded, shape (words, width)."""

    encoder: DualEncoder
    vocabulary: Vocabulary
    rows: Mapping[str, NDArray[np.float32]]


class OpenClipTagCaptioner(Captioner):
    """Says, attribute by attribute, the best-matching words: "dog face, glossy 3D style".

    The words of an attribute compete in a softmax over their cosines to the image. Where cosines
    tie, the word that comes first in the vocabulary wins, so a caption does not change with the batch.
    The vocabulary is embedded once and kept, in memory and in the cache folder.

    Args:
        model: an open_clip folder, "pmg:NAME", a hub id, or an open_clip architecture.
        pretrained: the weights of an architecture: open_clip's tag, or a file.
        vocabulary: attribute to words; by default the model folder's `tags.json`, then with the
            settings below from there too.
        silent: attribute to words that compete but are never said; see `Vocabulary`.
        template: what is embedded for a word, "{tag}" standing for it; one, or by attribute.
        threshold: smallest share of a said word, one, or by attribute; 0 says the best one always.
        top_k: most words of an attribute, one, or by attribute.
        otherwise: the caption of an image for which no word reaches its threshold.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most images or texts at once; halved where memory runs out.
        cache: whether to keep the embedded vocabulary in the SDK's cache folder.

    Raises:
        ConfigError: the vocabulary or a setting is malformed.
    """

    modality: ClassVar[str] = "image"

    def __init__(
        self,
        *,
        model: str = "pmg:emoji-clip",
        pretrained: str | None = None,
        vocabulary: Mapping[str, Sequence[str]] | None = None,
        silent: Mapping[str, Sequence[str]] | None = None,
        template: str | Mapping[str, str] | None = None,
        threshold: float | Mapping[str, float] | None = None,
        top_k: int | Mapping[str, int] | None = None,
        otherwise: str = "",
        device: str = "auto",
        batch_size: int = 32,
        cache: bool = True,
    ) -> None:
        check_batch_size(batch_size)
        settings = {"silent": silent, "template": template, "threshold": threshold, "top_k": top_k}
        self._settings = {name: value for name, value in settings.items() if value is not None}
        self._vocabulary = (
            Vocabulary.made({"tags": vocabulary, **self._settings}, origin="open-clip-tags")
            if vocabulary is not None
            else None
        )
        self.model = model
        self.pretrained = pretrained
        self.device = device
        self.batch_size = batch_size
        self.otherwise = otherwise
        self.cache = cache
        self._tagger: Once[_Tagger] = Once()

    def load(self, observer: Observer | None = None) -> None:
        """Load the model and embed the vocabulary.

        Raises:
            AssetError, ConfigError, ModelFolderError: model or vocabulary cannot be had.
        """
        self._ready(observer)

    def caption(self, media: Sequence[Media]) -> list[str]:
        """The said words of every image, joined by ", ", in the vocabulary's order of attributes.

        Raises:
            CapabilityError: a medium is no image.
        """
        return [", ".join(once(tag.text for tag in tags)) or self.otherwise for tags in self.tags(media)]

    def tags(self, media: Sequence[Media]) -> list[tuple[Tag, ...]]:
        """What `caption` says of every image, with the evidence; best first within an attribute."""
        tagger = self._ready()
        images = tagger.encoder.embed_images(media, limit=self.batch_size)
        scale = tagger.encoder.temperature_scale
        return [
            tuple(
                tag
                for attribute, rows in tagger.rows.items()
                for tag in _said(tagger.vocabulary, attribute, rows @ image, scale)
            )
            for image in images
        ]

    def _ready(self, observer: Observer | None = None) -> _Tagger:
        return self._tagger.get(lambda: self._read(observer))

    def _read(self, observer: Observer | None) -> _Tagger:
        encoder = load_dual_encoder(self.model, self.pretrained, device=self.device, observer=observer)
        vocabulary = self._vocabulary or self._of_model(encoder)
        rows = vocabulary.embed(
            encoder, limit=self.batch_size, cache=cache_dir() / "vocabularies" if self.cache else None
        )
        return _Tagger(encoder, vocabulary, rows)

    def _of_model(self, encoder: DualEncoder) -> Vocabulary:
        found = Vocabulary.of_model(encoder.source.folder)
        if not self._settings:
            return found
        return Vocabulary.made({**found.model_dump(), **self._settings}, origin="open-clip-tags")


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
