"""A text encoder made of towers that read the same texts: one for Stable Diffusion, two for SDXL."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pmg_sdk.accelerator import check_dtype
from pmg_sdk.errors import ConfigError
from pmg_sdk.interfaces import TextEncoder
from pmg_sdk.loading import Once
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_tower import LEAST_TOKENS, Layer, TextTower

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["TowerPlace", "TowerTextEncoder"]

FILES = ("json", "txt", "safetensors", "model")
"""Endings of the files a text encoder is made of; the rest of a hub repository is not fetched."""


@dataclass(frozen=True)
class TowerPlace:
    """The folders of an encoder and its tokenizer inside a model's; `pooled`: it gives the pooled vector."""

    encoder: str
    tokenizer: str
    pooled: bool = False


class TowerTextEncoder(TextEncoder):
    """All of a text encoder but where its towers are, `_places`, and how `encode` joins what they give."""

    _places: Sequence[TowerPlace]

    @property
    @abstractmethod
    def layer(self) -> Layer:
        """Which hidden states of every tower are the embeddings."""

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
        check_dtype(dtype)
        if max_tokens is not None and max_tokens < LEAST_TOKENS:
            raise ConfigError(f"max_tokens: expected {LEAST_TOKENS} or more, or None; got {max_tokens}")
        self.model = model
        self.clip_skip = clip_skip
        self.padding = padding
        self._max_tokens = max_tokens
        self._device = device
        self._dtype = dtype
        self._found: Once[tuple[TextTower, ...]] = Once()

    @property
    def space(self) -> str:
        """Families, joined width and weights: "clip-768-1f0c93ab"; "-skip1" with a layer left out."""
        families = "+".join(tower.family.name for tower in self.towers)
        skip = f"-skip{self.clip_skip}" if self.clip_skip else ""
        return f"{families}-{self.width}-{self._fingerprint}{skip}"

    @property
    def width(self) -> int:
        """Width of the embeddings, those of all towers side by side."""
        return sum(tower.width for tower in self.towers)

    @property
    def max_tokens(self) -> int:
        """Longest text, in tokens, special tokens included."""
        return min(tower.max_tokens for tower in self.towers)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        counts = [tower.count(texts) for tower in self.towers]
        return [max(of_text) for of_text in zip(*counts, strict=True)]

    def load(self, observer: Observer | None = None) -> None:
        """Load everything needed; a second call costs nothing."""
        if observer is not None:
            observer.start("load", len(self._places))
        for tower in self.towers:
            tower.load(observer)

    @property
    def _fingerprint(self) -> str:
        """Of one tower its own, so that its space is that of the same encoder in another folder."""
        fingerprints = [tower.fingerprint for tower in self.towers]
        if len(fingerprints) == 1:
            return fingerprints[0]
        return hashlib.sha256("+".join(fingerprints).encode()).hexdigest()[:8]

    @property
    def towers(self) -> tuple[TextTower, ...]:
        """The encoders, in the order in which their embeddings are joined."""
        return self._found.get(self._find)

    def _find(self) -> tuple[TextTower, ...]:
        names = [name for place in self._places for name in (place.encoder, place.tokenizer)]
        wanted = [str(PurePosixPath(name) / f"*.{ending}") for name in names for ending in FILES]
        folder = ModelFolder.locate(self.model, only=wanted)
        return tuple(
            TextTower(
                folder.sub(place.encoder),
                folder.sub(place.tokenizer),
                pooled=place.pooled,
                device=self._device,
                dtype=self._dtype,
                max_tokens=self._max_tokens,
            )
            for place in self._places
        )
