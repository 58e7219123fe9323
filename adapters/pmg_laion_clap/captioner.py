"""Tags of sounds by the original laion-clap (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pmg_laion_clap.scorer import LaionClapScorer
from pmg_tags.sounds import A_SOUND, SoundTagCaptioner

__all__ = ["LaionClapTagCaptioner"]


class LaionClapTagCaptioner(SoundTagCaptioner):
    """Says, attribute by attribute, the words that fit a sound best: "piano, calm".

    Args:
        model, text, architecture, fused, device, batch_size: see `LaionClapScorer`, with which it shares
            the model. A `tags.json` is looked for beside the checkpoint.
        vocabulary, silent, template, threshold, top_k, otherwise, cache: see `TagCaptioner`.

    Raises:
        ConfigError: the vocabulary or a setting is malformed.
    """

    def __init__(
        self,
        *,
        model: str,
        text: str = "roberta-base",
        architecture: str = "HTSAT-tiny",
        fused: bool = False,
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
            LaionClapScorer(
                model=model,
                text=text,
                architecture=architecture,
                fused=fused,
                device=device,
                batch_size=batch_size,
            ),
            "laion-clap-tags",
            vocabulary=vocabulary,
            silent=silent,
            template=template,
            threshold=threshold,
            top_k=top_k,
            otherwise=otherwise,
            cache=cache,
        )
