"""Tags of sounds by a CLAP model (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pmg_tags.sounds import A_SOUND, SoundTagCaptioner
from pmg_transformers.clap import ClapScorer

__all__ = ["ClapTagCaptioner"]


class ClapTagCaptioner(SoundTagCaptioner):
    """Says, attribute by attribute, the words that fit a sound best: "piano, calm".

    A long sound is tagged by the mean of its windows, see `ClapScorer`; of silence only `otherwise` is
    said.

    Args:
        model, device, batch_size: see `ClapScorer`, with which it shares the model.
        vocabulary, silent, template, threshold, top_k, otherwise, cache: see `TagCaptioner`.

    Raises:
        ConfigError: the vocabulary or a setting is malformed.
    """

    def __init__(
        self,
        *,
        model: str = "laion/clap-htsat-unfused",
        vocabulary: Mapping[str, Sequence[str]] | None = None,
        silent: Mapping[str, Sequence[str]] | None = None,
        template: str | Mapping[str, str] | None = None,
        threshold: float | Mapping[str, float] | None = None,
        top_k: int | Mapping[str, int] | None = None,
        otherwise: str = A_SOUND,
        device: str = "auto",
        batch_size: int = 16,
        cache: bool = True,
    ) -> None:
        super().__init__(
            ClapScorer(model=model, device=device, batch_size=batch_size),
            "clap-tags",
            vocabulary=vocabulary,
            silent=silent,
            template=template,
            threshold=threshold,
            top_k=top_k,
            otherwise=otherwise,
            cache=cache,
        )
