"""CLAP's text tower: one unit vector for a text, what AudioLDM is conditioned on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import TextEncoder
from pmg_sdk.tokenizable import well_formed
from pmg_transformers.fingerprint import fingerprint
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch

__all__ = ["KINDS", "ClapTextEncoder"]

KINDS = ("clap", "clap_text_model")
"""`model_type` of a whole CLAP, and of its text tower alone."""
TENSORS = ("text_model.", "text_projection.")


class ClapTextEncoder(TextEncoder):
    """Embeds text as CLAP's projected, normalised pooled vector; such a conditioning has no tokens.

    Args:
        model: a transformers or diffusers folder.
        subfolder: where in it the encoder is; `tokenizer_subfolder`: where the tokenizer is.
    """

    def __init__(self, model: str, *, subfolder: str = "", tokenizer_subfolder: str | None = None) -> None:
        if tokenizer_subfolder is None:
            tokenizer_subfolder = subfolder.replace("text_encoder", "tokenizer")
        root = ModelFolder.locate(model, only=())
        self._folder = root.sub(subfolder)
        self._tokenizer_folder = root.sub(tokenizer_subfolder)

    @cached_property
    def space(self) -> str:
        """Family, width and weights: "clap-512-1f0c93ab"."""
        text = self._text
        shape = {
            "family": "clap",
            "width": text["hidden_size"],
            "layers": text["num_hidden_layers"],
            "heads": text["num_attention_heads"],
        }
        files = self._folder.weights("model").files
        return f"clap-{self.width}-{fingerprint(files, shape, only=TENSORS)}"

    @property
    def width(self) -> int:
        """Of the vectors."""
        return int(self._config.get("projection_dim") or self._text["projection_dim"])

    @property
    def vocabulary(self) -> int:
        """Ids are below this."""
        return int(self._text["vocab_size"])

    @cached_property
    def max_tokens(self) -> int:
        """Longest text; RoBERTa's positions start behind the padding's."""
        positions = int(self._text["max_position_embeddings"]) - int(self._text.get("pad_token_id") or 1) - 1
        return int(min(self.tokenizer.model_max_length, positions))

    @cached_property
    def tokenizer(self) -> Any:
        """Of transformers."""
        from transformers import AutoTokenizer

        return self._tokenizer_folder.read(AutoTokenizer, "tokenizer")

    @cached_property
    def module(self) -> torch.nn.Module:
        """Takes ids and mask, gives unit vectors."""
        import torch
        import transformers

        whole = self._config["model_type"] == "clap"
        kind = transformers.ClapModel if whole else transformers.ClapTextModelWithProjection
        loaded = self._folder.model(kind, "CLAP text encoder", dtype=torch.float32)

        class Traceable(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.text = loaded.text_model
                self.projection = loaded.text_projection

            def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
                pooled = self.text(input_ids=input_ids, attention_mask=attention_mask).pooler_output
                return torch.nn.functional.normalize(self.projection(pooled), dim=-1)

        return Traceable().eval().requires_grad_(False)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        return [len(self.tokenizer(well_formed(text), verbose=False)["input_ids"]) for text in texts]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """One vector for every text."""
        import torch

        found = []
        for text in texts:
            tokens = self.tokenizer(
                well_formed(text), truncation=True, max_length=self.max_tokens, return_tensors="pt"
            )
            with torch.inference_mode():
                vector = self.module(tokens["input_ids"], tokens["attention_mask"])[0].numpy()
            found.append(Conditioning(np.zeros((0, self.width), np.float32), self.space, vector))
        return found

    @property
    def _config(self) -> dict[str, Any]:
        return self._folder.json("config.json")

    @property
    def _text(self) -> dict[str, Any]:
        return {**self._config, **self._config.get("text_config", {})}
