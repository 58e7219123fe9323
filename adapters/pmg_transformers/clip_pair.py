"""SDXL's text encoder: two CLIP encoders side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ModelFolderError
from pmg_transformers.text_tower import Layer
from pmg_transformers.tower_encoder import TowerPlace, TowerTextEncoder

__all__ = ["CLIPPairTextEncoder"]


class CLIPPairTextEncoder(TowerTextEncoder):
    """Embeds text as the penultimate hidden states of both encoders, joined; pooled by the second.

    Args:
        model: an SDXL folder, a hub id, or "pmg:NAME".
        clip_skip: how many more layers to leave out before the penultimate.
        padding: keep the padding up to `max_tokens` as tokens, see `TransformersTextEncoder`.
        max_tokens: a limit below the model's own.
        device: "auto", "cpu", "cuda", "mps".
        dtype: "float32", "float16", "bfloat16" or "auto" (float16 on CUDA, else float32).
    """

    _places = (
        TowerPlace("text_encoder", "tokenizer"),
        TowerPlace("text_encoder_2", "tokenizer_2", pooled=True),
    )

    @property
    def layer(self) -> Layer:
        """The penultimate one, or one before; the final norm is not for it."""
        return Layer(self.clip_skip + 1, final_norm=False)

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order. Longer texts than `max_tokens` are cut, with a warning in the log.

        Raises:
            ModelFolderError: the folder is incomplete or damaged, or the two tokenizers disagree.
        """
        space = self.space
        first, second = (tower.encode(texts, layer=self.layer, padding=self.padding) for tower in self.towers)
        joined = []
        for one, two in zip(first, second, strict=True):
            if len(one.embeds) != len(two.embeds):
                raise ModelFolderError(
                    f"both tokenizers of {self.model} should cut a text into equally many tokens; "
                    f"they gave {len(one.embeds)} and {len(two.embeds)}"
                )
            joined.append(Conditioning(np.concatenate([one.embeds, two.embeds], axis=1), space, two.pooled))
        return joined
