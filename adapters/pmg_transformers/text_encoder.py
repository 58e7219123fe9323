"""Keywords to E_k with a CLIP, BERT or T5 text encoder (paper, section 3.3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from pmg_sdk.conditioning import Conditioning
from pmg_transformers.text_tower import Layer
from pmg_transformers.tower_encoder import TowerPlace, TowerTextEncoder

__all__ = ["TransformersTextEncoder"]


class TransformersTextEncoder(TowerTextEncoder):
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
        device: "auto", "cpu", "cuda", "mps".
        dtype: "float32", "float16", "bfloat16" or "auto" (float16 on CUDA, else float32).
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
        super().__init__(
            model, clip_skip=clip_skip, padding=padding, max_tokens=max_tokens, device=device, dtype=dtype
        )
        if tokenizer_subfolder is None:
            tokenizer_subfolder = subfolder.replace("text_encoder", "tokenizer")
        self.subfolder = subfolder
        self.tokenizer_subfolder = tokenizer_subfolder
        self._places = (TowerPlace(subfolder, tokenizer_subfolder),)

    @property
    def layer(self) -> Layer:
        """The last one that is not left out, behind the final norm."""
        return Layer(self.clip_skip)

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order. Longer texts than `max_tokens` are cut, with a warning in the log.

        Raises:
            ModelFolderError: the folder is incomplete or damaged.
        """
        (tower,) = self.towers
        encoded = tower.encode(texts, layer=self.layer, padding=self.padding)
        return [Conditioning(entry.embeds, self.space) for entry in encoded]
