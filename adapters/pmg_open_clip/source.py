"""Where an open_clip model comes from: a folder, a hub id, or one of open_clip's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.json_file import read_json

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["Source", "locate"]

CONFIG = "open_clip_config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.pth")
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model")


@dataclass(frozen=True)
class Source:
    """What to hand to `open_clip.create_model_and_transforms`.

    Attributes:
        name: with open_clip's schema, "local-dir:..." or "hf-hub:...", or one of its built-in names.
        pretrained: tag or weights file of a built-in name.
        options: further arguments of `create_model_and_transforms`.
        folder: the folder, where it is one.
    """

    name: str
    pretrained: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None


def locate(model: str, pretrained: str | None = None, observer: Observer | None = None) -> Source:
    """Find `model` and check what can be checked before anything heavy is loaded.

    Args:
        model: an open_clip folder, "pmg:NAME", a hub id "owner/name", or an open_clip architecture.
        pretrained: open_clip's tag for the weights of an architecture, or a weights file.

    Raises:
        AssetError: a "pmg:NAME" that cannot be had.
        ConfigError: `pretrained` is missing, unknown, or given for a model that brings its own weights.
        ModelFolderError: the folder is missing or incomplete.
    """
    import open_clip

    from pmg_sdk.assets import resolve_model

    place = Path(resolve_model(model, observer)).expanduser()
    if place.is_dir():
        _refuse_tag(model, pretrained)
        return Source(f"local-dir:{place}", options=_folder_options(place), folder=place)
    if model in open_clip.list_models():
        return Source(model, pretrained, options=_tag_options(model, pretrained))
    hub_id = model.removeprefix("hf-hub:")
    if hub_id.count("/") == 1 and not hub_id.startswith((".", "/", "~")):
        _refuse_tag(model, pretrained)
        return Source(f"hf-hub:{hub_id}")
    raise ModelFolderError(
        f"an open_clip folder, a hub id owner/name, or a name of open_clip.list_models() was expected; "
        f"{model!r} is none of them. Check the path."
    )


def _refuse_tag(model: str, pretrained: str | None) -> None:
    if pretrained is not None:
        raise ConfigError(
            f"pretrained={pretrained!r} goes with a built-in architecture; {model!r} brings its own weights. "
            f"Leave pretrained out."
        )


def _tag_options(model: str, pretrained: str | None) -> dict[str, Any]:
    """Weights trained with QuickGELU give wrong embeddings with GELU, and open_clip only warns."""
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(model)
    if pretrained is None:
        raise ConfigError(
            f"{model!r} is an architecture without weights; say which with pretrained=, "
            f"one of: {', '.join(tags)}"
        )
    tag = open_clip.get_pretrained_cfg(model, pretrained)
    if not tag:
        if Path(pretrained).is_file():
            return {}
        raise ConfigError(
            f"pretrained={pretrained!r} is neither a file nor a tag of {model!r}; its tags: {', '.join(tags)}"
        )
    return {"force_quick_gelu": True} if tag.get("quick_gelu") else {}


def _folder_options(folder: Path) -> dict[str, Any]:
    try:
        settings = read_json(_require(folder, CONFIG))
        text = dict(settings["model_cfg"]["text_cfg"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFolderError(
            f"{folder / CONFIG}: a JSON object with model_cfg and its text_cfg was expected ({error!r})"
        ) from error
    _require(folder, *WEIGHTS)
    if text.get("hf_tokenizer_name"):
        _require(folder, *TOKENIZERS)
    if "hf_model_name" not in text or not _is_text_tower(folder):
        return {}
    # open_clip asks the hub for the text tower's config.json, even when it lies in the folder.
    return {"text_cfg": {**text, "hf_model_name": str(folder), "hf_model_pretrained": False}}


def _is_text_tower(folder: Path) -> bool:
    """Whether config.json describes a text encoder; on the hub it may describe the whole of a CLIP."""
    from open_clip.hf_configs import arch_dict

    try:
        config = read_json(_require(folder, "config.json"))
        return config.get("model_type") in arch_dict
    except (OSError, ValueError, AttributeError) as error:
        raise ModelFolderError(f"{folder / 'config.json'}: a JSON object was expected ({error!r})") from error


def _require(folder: Path, *patterns: str) -> Path:
    """The first file that matches any of the patterns."""
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            return path
    raise ModelFolderError(
        f"the open_clip folder {folder} has no {' or '.join(patterns)}. "
        f"Complete the folder, or name another model."
    )
