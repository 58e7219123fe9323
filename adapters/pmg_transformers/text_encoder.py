"""Keywords to E_k with a CLIP, BERT or T5 text encoder (paper, section 3.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import TextEncoder
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_tower import TextTower

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["TransformersTextEncoder"]


class TransformersTextEncoder(TextEncoder):
    """Embeds text as the last hidden states of one encoder, first special token to last, in float32.

    Args:
        model: a transformers or diffusers folder, a hub id, or "pmg:NAME".
        subfolder: where in it the encoder is; "text_encoder" in diffusers folders.
        tokenizer_subfolder: where the tokenizer is; by default "tokenizer" beside "text_encoder",
            "tokenizer_2" beside "text_encoder_2", and otherwise with the encoder.
        clip_skip: how many of CLIP's last layers to leave out; the final layer norm is always applied.
        padding: keep the padding up to `max_tokens` as tokens. Stable Diffusion was trained that way;
            every text then has equally many tokens, and so an equal share of cross-attention.
        max_tokens: a limit below the model's own, for generators trained on shorter texts.
        device: "auto", "cpu", "cuda", "mps"; dtype: name of a torch dtype for the weights.
    """

    def __init__(
        self,
        model: str,
        *,
        subfolder: str = "",
        tokenizer_subfolder: str | None = None,
        clip_skip: int = 0,
        padding: bool = False,
        max_tokens: int | None = None,
        device: str = "auto",
        dtype: str = "float32",
    ) -> None:
        self.model = model
        self.subfolder = subfolder
        self.tokenizer_subfolder = (
            subfolder.replace("text_encoder", "tokenizer")
            if tokenizer_subfolder is None
            else tokenizer_subfolder
        )
        self.clip_skip = clip_skip
        self.padding = padding
        self._max_tokens = max_tokens
        self._device = device
        self._dtype = dtype

    @property
    def space(self) -> str:
        """Family, width and weights, as in "clip-768-1f0c93ab"; "-skip1" with a layer left out."""
        tower = self._tower
        skip = f"-skip{self.clip_skip}" if self.clip_skip else ""
        return f"{tower.family.name}-{tower.width}-{tower.fingerprint}{skip}"

    @property
    def width(self) -> int:
        """Width of the embeddings."""
        return self._tower.width

    @property
    def max_tokens(self) -> int:
        """Longest text, in tokens, special tokens included."""
        return self._tower.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        return self._tower.count(texts)

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order. Longer texts than `max_tokens` are cut, with a warning in the log.

        Raises:
            ModelFolderError: the folder is incomplete or damaged.
        """
        encoded = self._tower.encode(texts, skip=self.clip_skip, padding=self.padding)
        return [Conditioning(entry.embeds, self.space) for entry in encoded]

    def load(self, observer: Observer | None = None) -> None:
        """Load everything needed; a second call costs nothing."""
        if observer is not None:
            observer.start("load", 1)
        self._tower.load(observer)

    @cached_property
    def _tower(self) -> TextTower:
        wanted = [f"{self.subfolder or '.'}/*", f"{self.tokenizer_subfolder or '.'}/*"]
        wanted = [pattern.removeprefix("./") for pattern in wanted]
        folder = ModelFolder.locate(
            self.model, only=[f"{pattern}.{kind}" for pattern in wanted for kind in FILES]
        )
        return TextTower(
            folder.sub(self.subfolder),
            folder.sub(self.tokenizer_subfolder),
            device=self._device,
            dtype=self._dtype,
            max_tokens=self._max_tokens,
        )


FILES = ("json", "txt", "safetensors", "model")
"""Endings of the files a text encoder is made of; the rest of a hub repository is not fetched."""
