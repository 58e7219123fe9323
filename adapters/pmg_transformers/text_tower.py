"""One text encoder and its tokenizer, out of a folder: what the encoders here are built from.

Four families: CLIP's causal transformer, and the bidirectional BERT, T5 and CLAP's RoBERTa. The
differences are a table, not branches.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pmg_sdk.accelerator import choose_device, choose_dtype
from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.loading import Once
from pmg_sdk.tokenizable import well_formed
from pmg_transformers.fingerprint import fingerprint
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["LAST", "LEAST_TOKENS", "Encoded", "Layer", "TextTower"]

log = logging.getLogger(__name__)

BATCH = 64
"""Texts in one forward; a text is at most a few hundred tokens."""

LEAST_TOKENS = 3
"""A limit below leaves no token between the special ones at the ends of a text."""

NO_LIMIT = 100_000
"""Tokenizers without a limit state astronomic numbers."""


@dataclass(frozen=True)
class Family:
    """What differs between the families.

    Attributes:
        name: as it stands in the space.
        model: class name in transformers.
        pooled_model: the class that also gives a pooled vector, where there is one.
        width, layers, heads: keys of config.json.
        after_padding: positions are counted from behind the padding's, `pad_token_id`, as in RoBERTa.
        causal: later tokens cannot reach earlier ones, so padding on the right needs no mask.
        options: of the model class; parts that give no embeddings are left out, for folders may lack them.
        only: tensors that make the embeddings, see `fingerprint`.
    """

    name: str
    model: str
    pooled_model: str | None = None
    width: str = "hidden_size"
    layers: str = "num_hidden_layers"
    heads: str = "num_attention_heads"
    after_padding: bool = False
    causal: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()


CLIP = Family("clip", "CLIPTextModel", pooled_model="CLIPTextModelWithProjection", causal=True)
BERT = Family("bert", "BertModel", options={"add_pooling_layer": False})
T5 = Family("t5", "T5EncoderModel", width="d_model", layers="num_layers", heads="num_heads")
CLAP = Family(
    "clap",
    "ClapTextModelWithProjection",
    pooled_model="ClapTextModelWithProjection",
    after_padding=True,
    only=("text_model.", "text_projection."),  # pooler and projection make its vectors
)
FAMILIES = {
    "clip_text_model": CLIP,
    "clip": CLIP,
    "bert": BERT,
    "t5": T5,
    "mt5": T5,
    "clap_text_model": CLAP,
    "clap": CLAP,
}


@dataclass(frozen=True)
class Layer:
    """Which hidden states are the embeddings: `skip` before the last, behind CLIP's final norm or not."""

    skip: int = 0
    final_norm: bool = True


@dataclass(frozen=True, eq=False)
class Encoded:
    """One text: embeds of shape (tokens, width), and pooled of shape (projection width,) or None."""

    embeds: NDArray[np.float32]
    pooled: NDArray[np.float32] | None


LAST = Layer()
"""The last, as most generators were trained."""


class TextTower:
    """A text encoder with its tokenizer. Reading its properties loads no weights.

    Args:
        folder: the encoder's files; `tokenizer`: the tokenizer's, often the folder beside it.
        pooled: load the projection too and give pooled vectors (CLIP and CLAP).
        device, dtype: see `choose_device` and `choose_dtype`.
        max_tokens: a limit below the model's own; None is none.
    """

    def __init__(
        self,
        folder: ModelFolder,
        tokenizer: ModelFolder,
        *,
        pooled: bool = False,
        device: str = "auto",
        dtype: str = "float32",
        max_tokens: int | None = None,
    ) -> None:
        self.folder = folder
        self.pooled = pooled
        self._tokenizer_folder = tokenizer
        self._device = device
        self._dtype = dtype
        self._limit = max_tokens
        self._loaded_tokenizer: Once[Any] = Once()
        self._loaded_model: Once[Any] = Once()

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.json, the text part of it where there are several."""
        config = self.folder.json("config.json")
        return {**config, **config.get("text_config", {}), "model_type": config.get("model_type")}

    @cached_property
    def family(self) -> Family:
        """The family, by `model_type`."""
        kind = self.config["model_type"]
        if kind not in FAMILIES:
            raise ModelFolderError(
                f"a text encoder of type {', '.join(sorted(FAMILIES))} was expected in {self.folder.path}; "
                f"its config.json says {kind!r}"
            )
        return FAMILIES[kind]

    @property
    def width(self) -> int:
        """Width of the embeddings."""
        return self._number(self.family.width)

    @property
    def projection_width(self) -> int:
        """Width of the pooled vectors."""
        return self._number("projection_dim")

    @property
    def layers(self) -> int:
        """Number of transformer layers."""
        return self._number(self.family.layers)

    @cached_property
    def fingerprint(self) -> str:
        """Short name of the weights, see `fingerprint`."""
        shape = {
            "family": self.family.name,
            "width": self.width,
            "layers": self.layers,
            "heads": self._number(self.family.heads),
        }
        return fingerprint(self.folder.weights("model").files, shape, only=self.family.only)

    @cached_property
    def max_tokens(self) -> int:
        """The longest text in tokens: of the limits of tokenizer, positions and caller the smallest."""
        tokenizer = self._tokenizer_folder.json("tokenizer_config.json").get("model_max_length", NO_LIMIT)
        positions = self.config.get("max_position_embeddings", NO_LIMIT)
        if self.family.after_padding:
            positions -= self.config.get("pad_token_id", 1) + 1
        limit = NO_LIMIT if self._limit is None else self._limit
        return int(min(tokenizer, positions, limit, NO_LIMIT))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        if not texts:
            return []
        return [len(ids) for ids in self._tokens(texts, verbose=False)["input_ids"]]

    def load(self, observer: Observer | None = None) -> None:
        """Load tokenizer and weights; a second call does nothing."""
        self.tokenizer  # noqa: B018 - loading is what reading it does
        self.model  # noqa: B018
        if observer is not None:
            observer.advance("load")

    def encode(self, texts: Sequence[str], *, layer: Layer = LAST, padding: bool = False) -> list[Encoded]:
        """Embed every text, in order.

        Args:
            layer: which hidden states to give; others than the last are CLIP's.
            padding: keep the padding up to `max_tokens` as tokens, as Stable Diffusion was trained.
        """
        return [
            encoded
            for start in range(0, len(texts), BATCH)
            for encoded in self._encode(list(texts[start : start + BATCH]), layer, padding)
        ]

    def check(self, layer: Layer) -> None:
        """Refuse a layer that this encoder does not have.

        Raises:
            ConfigError: it is no CLIP, or has fewer layers.
        """
        if layer.skip and not self.family.causal:
            raise ConfigError(f"clip_skip is for CLIP text encoders; this one is {self.family.name}")
        if not 0 <= layer.skip < self.layers:
            raise ConfigError(f"clip_skip between 0 and {self.layers - 1} was expected; got {layer.skip}")

    def _encode(self, texts: list[str], layer: Layer, padding: bool) -> Iterable[Encoded]:
        import torch

        self.check(layer)
        cut = sum(count > self.max_tokens for count in self.count(texts))
        if cut:
            log.warning("%d of %d texts cut at %d tokens", cut, len(texts), self.max_tokens)
        tokens = self._tokens(
            texts,
            padding="max_length" if padding else "longest",
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        ).to(self.model.device)
        mask = tokens["attention_mask"]
        with torch.inference_mode():
            hidden, vectors = self.forward(tokens["input_ids"], mask, layer)
        lengths = [hidden.shape[1]] * len(texts) if padding else mask.sum(dim=1).tolist()
        rows = hidden.float().cpu().numpy()
        pooled = [None] * len(texts) if vectors is None else vectors.float().cpu().numpy()
        for row, length, vector in zip(rows, lengths, pooled, strict=True):
            yield Encoded(row[:length].copy(), None if vector is None else vector.copy())

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor | None, layer: Layer = LAST
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Token ids and mask of shape (B, L) to hidden states (B, L, width) and pooled vectors, if any."""
        attend = {} if self.family.causal else {"attention_mask": mask}
        last = layer == LAST
        output = self.model(input_ids=ids, output_hidden_states=not last, **attend)
        pooled = output.text_embeds if self.pooled else None
        if last:
            return output.last_hidden_state, pooled
        hidden = output.hidden_states[-(layer.skip + 1)]
        if layer.final_norm:
            hidden = getattr(self.model, "text_model", self.model).final_layer_norm(hidden)
        return hidden, pooled

    def _tokens(self, texts: Sequence[str], **options: Any) -> Any:
        return self.tokenizer([well_formed(text) for text in texts], **options)

    def _number(self, key: str) -> int:
        value = self.config.get(key)
        if not isinstance(value, int):
            raise ModelFolderError(
                f"a whole number {key!r} was expected in {self.folder.path / 'config.json'}; got {value!r}"
            )
        return value

    @property
    def tokenizer(self) -> Any:
        """Of transformers, loaded; it pads and cuts on the right."""
        return self._loaded_tokenizer.get(self._read_tokenizer)

    @property
    def model(self) -> Any:
        """Of transformers, loaded, in evaluation mode."""
        return self._loaded_model.get(self._read_model)

    def _read_tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        self._tokenizer_folder.require("tokenizer_config.json")
        tokenizer = self._tokenizer_folder.read(AutoTokenizer, "tokenizer")
        tokenizer.padding_side = "right"
        tokenizer.truncation_side = "right"
        return tokenizer

    def _read_model(self) -> Any:
        import transformers

        name = self.family.pooled_model if self.pooled else self.family.model
        if name is None:
            raise ModelFolderError(
                f"{self.family.name} text encoders in {self.folder.path} give no pooled vector"
            )
        device = choose_device(self._device)
        dtype = choose_dtype(self._dtype, device)
        model = self.folder.model(
            getattr(transformers, name), "text encoder", dtype=dtype, **self.family.options
        )
        return model.to(device).eval().requires_grad_(False)
