"""SDXL's text encoder: two CLIP encoders side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import TextEncoder
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_encoder import FILES
from pmg_transformers.text_tower import TextTower

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["CLIPPairTextEncoder"]

FOLDERS = (("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2"))


class CLIPPairTextEncoder(TextEncoder):
    """Embeds text as the penultimate hidden states of both encoders, joined; pooled by the second.

    Args:
        model: an SDXL folder, a hub id, or "pmg:NAME".
        clip_skip: how many more layers to leave out before the penultimate.
        padding: keep the padding up to `max_tokens` as tokens, see `TransformersTextEncoder`.
        max_tokens: a limit below the model's own.
        device: "auto", "cpu", "cuda", "mps"; dtype: name of a torch dtype for the weights.
    """

    def __init__(
        self,
        model: str,
        *,
        clip_skip: int = 0,
        padding: bool = False,
        max_tokens: int | None = None,
        device: str = "auto",
        dtype: str = "float32",
    ) -> None:
        self.model = model
        self.clip_skip = clip_skip
        self.padding = padding
        self._max_tokens = max_tokens
        self._device = device
        self._dtype = dtype

    @property
    def space(self) -> str:
        """Families, joined width and both encoders' weights, as in "clip+clip-2048-1f0c93ab"."""
        both = hashlib.sha256("+".join(tower.fingerprint for tower in self._towers).encode()).hexdigest()[:8]
        families = "+".join(tower.family.name for tower in self._towers)
        skip = f"-skip{self.clip_skip}" if self.clip_skip else ""
        return f"{families}-{self.width}-{both}{skip}"

    @property
    def width(self) -> int:
        """Width of the joined embeddings."""
        return sum(tower.width for tower in self._towers)

    @property
    def max_tokens(self) -> int:
        """Longest text, in tokens, special tokens included."""
        return min(tower.max_tokens for tower in self._towers)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        counts = [tower.count(texts) for tower in self._towers]
        return [max(pair) for pair in zip(*counts, strict=True)]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order. Longer texts than `max_tokens` are cut, with a warning in the log.

        Raises:
            ModelFolderError: the folder is incomplete or damaged, or the two tokenizers disagree.
        """
        space, skip = self.space, self.clip_skip + 1
        first, second = (
            tower.encode(texts, skip=skip, final_norm=False, padding=self.padding) for tower in self._towers
        )
        joined = []
        for one, two in zip(first, second, strict=True):
            if len(one.embeds) != len(two.embeds):
                raise ModelFolderError(
                    f"both tokenizers of {self.model} should cut a text into equally many tokens; "
                    f"they gave {len(one.embeds)} and {len(two.embeds)}"
                )
            joined.append(Conditioning(np.concatenate([one.embeds, two.embeds], axis=1), space, two.pooled))
        return joined

    def load(self, observer: Observer | None = None) -> None:
        """Load everything needed; a second call costs nothing."""
        if observer is not None:
            observer.start("load", len(FOLDERS))
        for tower in self._towers:
            tower.load(observer)

    @cached_property
    def _towers(self) -> tuple[TextTower, TextTower]:
        wanted = [f"{name}/*.{kind}" for pair in FOLDERS for name in pair for kind in FILES]
        folder = ModelFolder.locate(self.model, only=wanted)
        first, second = (
            TextTower(
                folder.sub(encoder),
                folder.sub(tokenizer),
                pooled=encoder == "text_encoder_2",
                device=self._device,
                dtype=self._dtype,
                max_tokens=self._max_tokens,
            )
            for encoder, tokenizer in FOLDERS
        )
        return first, second
