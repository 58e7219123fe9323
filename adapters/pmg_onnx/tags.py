"""Tags of images or sounds by an exported dual encoder (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pmg_onnx.scorer import OnnxScorer
from pmg_sdk.media import Media
from pmg_tags.captioner import Tag, TagCaptioner
from pmg_tags.sounds import A_SOUND, unless_silent

__all__ = ["OnnxTagCaptioner"]


class OnnxTagCaptioner(TagCaptioner):
    """Says, attribute by attribute, the words that fit a medium best, without torch: "dog face, flat design".

    It reads images or sounds, whichever the exported model does. Of silence only `otherwise` is said.

    Args:
        model, device, batch_size, threads, io_binding: see `OnnxScorer`, with which it shares the model.
        vocabulary, silent, template, threshold, top_k: see `TagCaptioner`; the exported folder keeps the
            `tags.json` of the one it was made from.
        otherwise: the caption of a medium for which no word reaches its threshold; None is "a sound" for
            sounds and nothing for images.
        cache: whether to keep the optimised graphs and the embedded vocabulary in the SDK's cache folder.

    Raises:
        ConfigError: the vocabulary or a setting is malformed.
    """

    def __init__(
        self,
        model: str,
        *,
        vocabulary: Mapping[str, Sequence[str]] | None = None,
        silent: Mapping[str, Sequence[str]] | None = None,
        template: str | Mapping[str, str] | None = None,
        threshold: float | Mapping[str, float] | None = None,
        top_k: int | Mapping[str, int] | None = None,
        otherwise: str | None = None,
        device: str = "auto",
        batch_size: int = 32,
        threads: int | None = None,
        io_binding: bool = True,
        cache: bool = True,
    ) -> None:
        self._dual = OnnxScorer(
            model, device=device, batch_size=batch_size, threads=threads, io_binding=io_binding, cache=cache
        )
        self._says_otherwise = otherwise is not None
        super().__init__(
            self._dual,
            "onnx-tags",
            vocabulary=vocabulary,
            silent=silent,
            template=template,
            threshold=threshold,
            top_k=top_k,
            otherwise=otherwise or "",
            cache=cache,
        )

    @property
    def modality(self) -> str:
        """What it reads, "image" or "audio", as the folder's record says; opens no model.

        Raises:
            ModelFolderError: there is no exported scorer at `model`.
        """
        return self._dual.modality

    def caption(self, media: Sequence[Media]) -> list[str]:
        """The said words of every medium, joined by ", ", in the vocabulary's order of attributes.

        Raises:
            CapabilityError: a medium is of another modality.
        """
        nothing = "" if self._says_otherwise or self.modality == "image" else A_SOUND
        return [said or nothing for said in super().caption(media)]

    def tags(self, media: Sequence[Media]) -> list[tuple[Tag, ...]]:
        """What `caption` says of every medium, with the evidence; best first within an attribute."""
        tags = super().tags(media)
        return unless_silent(media, tags) if self.modality == "audio" else tags
