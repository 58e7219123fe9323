"""The text encoders of torch that can be exported: which one a folder holds, and what to trace of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_audioldm.clap_text import ClapTextEncoder
from pmg_onnx.export.open_clip_text import CONFIG as OPEN_CLIP
from pmg_onnx.export.open_clip_text import as_transformers
from pmg_onnx.export.open_clip_text import weights as open_clip_weights
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ConfigError
from pmg_sdk.interfaces import TextEncoder
from pmg_transformers.clip_pair import CLIPPairTextEncoder
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_encoder import TransformersTextEncoder
from pmg_transformers.tower_encoder import TowerTextEncoder

if TYPE_CHECKING:
    import torch

__all__ = ["Original", "TorchTower", "original"]

CLAP = ("clap", "clap_text_model")
"""`model_type` of a whole CLAP, and of its text tower alone."""

FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "text_encoder*/*", "tokenizer*/*")
"""Of a hub repository; UNets and autoencoders stay where they are."""


@dataclass(frozen=True, eq=False)
class TorchTower:
    """One graph to be.

    Attributes:
        module: takes input_ids and, where `masked`, attention_mask; gives `outputs`.
        tokenizer: of transformers.
        tokens: ids are below this.
        max_tokens: longest text.
    """

    module: torch.nn.Module
    outputs: tuple[str, ...]
    masked: bool
    tokenizer: Any
    tokens: int
    max_tokens: int


@dataclass(frozen=True, eq=False)
class Original:
    """A text encoder of torch, and what an export needs of it.

    Attributes:
        encoder: whose space the export takes over.
        padded: the same one, padding its texts.
        towers: its parts.
        width: of its embeddings.
        weights: files of its weights below `root`.
        padding: whether it is used with padded texts.
    """

    encoder: TextEncoder
    padded: TextEncoder
    towers: tuple[TorchTower, ...]
    width: int
    weights: tuple[Path, ...]
    root: Path
    padding: bool = False

    def encode(self, texts: Sequence[str], padding: bool) -> list[Conditioning]:
        """As the original does, with or without padding."""
        return (self.padded if padding else self.encoder).encode(texts)


@contextmanager
def original(
    source: str, subfolder: str | None, tokenizer_subfolder: str | None, clip_skip: int
) -> Iterator[Original]:
    """The text encoder in `source`; see `export_text_encoder` for the arguments."""
    folder = ModelFolder.locate(source, only=FILES)
    if folder.has(OPEN_CLIP):
        with tempfile.TemporaryDirectory(prefix="pmg-export-") as scratch:
            context = as_transformers(str(folder.path), Path(scratch))
            found = _of_towers(ModelFolder(Path(scratch)), "", None, clip_skip, max_tokens=context)
            yield replace(found, weights=open_clip_weights(folder.path), root=folder.path)
        return
    index = folder.json("model_index.json") if folder.has("model_index.json") else {}
    where = _subfolder(folder, index) if subfolder is None else subfolder
    if where is not None and folder.sub(where).json("config.json").get("model_type") in CLAP:
        if clip_skip:
            raise ConfigError("clip_skip is for CLIP text encoders; this one is clap")
        yield _of_clap(folder, where, tokenizer_subfolder, max_tokens=index.get("pmg", {}).get("max_tokens"))
        return
    defaults = index.get("pmg", {})
    yield _of_towers(
        folder,
        where,
        tokenizer_subfolder,
        clip_skip,
        max_tokens=defaults.get("max_tokens"),
        padding=bool(defaults.get("padding", False)),
    )


def _subfolder(folder: ModelFolder, index: dict[str, Any]) -> str | None:
    """Of the encoder that conditions; None for SDXL's pair."""
    if not folder.has("text_encoder/config.json"):
        return ""
    if not folder.has("text_encoder_2/config.json"):
        return "text_encoder"
    # AudioLDM 2's first encoder is CLAP, one vector; the tokens that condition are T5's.
    first = folder.sub("text_encoder").json("config.json").get("model_type")
    return "text_encoder_2" if first in CLAP else None


def _of_towers(
    folder: ModelFolder,
    subfolder: str | None,
    tokenizer_subfolder: str | None,
    clip_skip: int,
    *,
    max_tokens: int | None = None,
    padding: bool = False,
) -> Original:
    options: dict[str, Any] = {"clip_skip": clip_skip, "max_tokens": max_tokens, "device": "cpu"}

    def made(padding: bool) -> TowerTextEncoder:
        if subfolder is None:
            return CLIPPairTextEncoder(str(folder.path), padding=padding, **options)
        return TransformersTextEncoder(
            str(folder.path),
            subfolder=subfolder,
            tokenizer_subfolder=tokenizer_subfolder,
            padding=padding,
            **options,
        )

    encoder, padded = made(False), made(True)
    for tower in encoder.towers:
        tower.check(encoder.layer)
    return Original(
        encoder=encoder,
        padded=padded,
        towers=tuple(_traceable(encoder, index) for index in range(len(encoder.towers))),
        width=encoder.width,
        weights=tuple(file for tower in encoder.towers for file in tower.folder.weights("model").files),
        root=folder.path,
        padding=padding,
    )


def _traceable(encoder: TowerTextEncoder, index: int) -> TorchTower:
    import torch

    tower, layer = encoder.towers[index], encoder.layer

    class Traceable(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = tower.model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> Any:
            hidden, pooled = tower.forward(input_ids, attention_mask, layer)
            return hidden if pooled is None else (hidden, pooled)

    return TorchTower(
        module=Traceable().eval(),
        outputs=("embeds", "pooled") if tower.pooled else ("embeds",),
        masked=not tower.family.causal,
        tokenizer=tower.tokenizer,
        tokens=int(tower.config["vocab_size"]),
        max_tokens=tower.max_tokens,
    )


def _of_clap(
    folder: ModelFolder, subfolder: str, tokenizer_subfolder: str | None, *, max_tokens: int | None
) -> Original:
    import torch

    encoder = ClapTextEncoder(
        str(folder.path),
        subfolder=subfolder,
        tokenizer_subfolder=tokenizer_subfolder,
        max_tokens=max_tokens,
        device="cpu",
    )
    (tower,) = encoder.towers

    class Traceable(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = tower.model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            _, pooled = tower.forward(input_ids, attention_mask)
            assert pooled is not None
            return torch.nn.functional.normalize(pooled, dim=-1)

    traced = TorchTower(
        module=Traceable().eval(),
        outputs=("pooled",),
        masked=True,
        tokenizer=tower.tokenizer,
        tokens=int(tower.config["vocab_size"]),
        max_tokens=encoder.max_tokens,
    )
    files = folder.sub(subfolder).weights("model").files
    return Original(encoder, encoder, (traced,), encoder.width, files, folder.path)
