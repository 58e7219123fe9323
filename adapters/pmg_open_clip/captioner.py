"""Tags of images by an open_clip model (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pmg_open_clip.scorer import OpenClipScorer
from pmg_tags.captioner import TagCaptioner

__all__ = ["OpenClipTagCaptioner"]


class OpenClipTagCaptioner(TagCaptioner):
    """Says, attribute by attribute, the words that fit an image best: "dog face, glossy 3D style".

    Args:
        model, pretrained, device, batch_size: see `OpenClipScorer`, with which it shares the model.
        vocabulary, silent, template, threshold, top_k, otherwise, cache: see `TagCaptioner`.

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
        super().__init__(
            OpenClipScorer(model=model, pretrained=pretrained, device=device, batch_size=batch_size),
            "open-clip-tags",
            vocabulary=vocabulary,
            silent=silent,
            template=template,
            threshold=threshold,
            top_k=top_k,
            otherwise=otherwise,
            cache=cache,
        )
