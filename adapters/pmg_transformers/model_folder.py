"""A model as a folder on this machine, checked before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import ModelFolderError
from pmg_sdk.json_file import load_object
from pmg_sdk.loading import loading

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["ModelFolder", "Weights"]


@dataclass(frozen=True)
class Weights:
    """The safetensors files of one model: one file, or the shards of an index.

    Attributes:
        files: in the order of their names.
        variant: "fp16" where the folder holds only that variant, else None.
    """

    files: tuple[Path, ...]
    variant: str | None


@dataclass(frozen=True)
class ModelFolder:
    """A folder of configuration files and safetensors weights."""

    path: Path

    @classmethod
    def locate(cls, model: str, *, only: Sequence[str], observer: Observer | None = None) -> ModelFolder:
        """The folder of `model`: a path, "pmg:NAME", or a hub id; of that, files matching `only` are fetched.

        Raises:
            AssetError: a "pmg:NAME" that cannot be had.
            ModelFolderError: there is no such folder, and no hub that knows the id.
        """
        from pmg_sdk.assets import resolve_model

        place = Path(resolve_model(model, observer)).expanduser()
        if place.is_dir():
            return cls(place)
        if place.is_file():
            raise ModelFolderError(
                f"a model folder was expected; {place} is a file. Name the folder around it."
            )
        if not _looks_like_hub_id(model):
            raise ModelFolderError(f"a model folder was expected at {place}; there is none. Check the path.")
        return cls(_from_hub(model, only))

    def sub(self, name: str) -> ModelFolder:
        """The folder `name` inside this one; "" is the folder itself."""
        return ModelFolder(self.path / name) if name else self

    def has(self, name: str) -> bool:
        """Whether the folder holds a file of that relative name."""
        return (self.path / name).is_file()

    def require(self, *names: str) -> Path:
        """The path of a file that must be there, of several that would do the first.

        Raises:
            ModelFolderError: it is not.
        """
        for name in names:
            if self.has(name):
                return self.path / name
        raise ModelFolderError(
            f"the model folder {self.path} has no {' or '.join(names)}. "
            "Complete the folder, or name another model."
        )

    def json(self, name: str) -> dict[str, Any]:
        """A JSON object out of the folder.

        Raises:
            ModelFolderError: the file is missing, or holds something else.
        """
        return load_object(self.require(name), ModelFolderError)

    def weights(self, stem: str) -> Weights:
        """The weights named `stem`; pickled weights are never read.

        Raises:
            ModelFolderError: they are missing, only there as pickle, or outside the folder.
        """
        for variant in (None, "fp16"):
            name = f"{stem}.{variant}" if variant else stem
            if self.has(f"{name}.safetensors"):
                return Weights((self.path / f"{name}.safetensors",), variant)
            index = (
                f"{stem}.safetensors.index.{variant}.json" if variant else f"{stem}.safetensors.index.json"
            )
            if self.has(index):
                return Weights(self._shards(index), variant)
        if any(self.path.glob(f"{_pickle_stem(stem)}*.bin")):
            raise ModelFolderError(
                f"{stem}.safetensors was expected in {self.path}; it holds pickled .bin weights only, "
                "which can run code when loaded. Convert them to safetensors first."
            )
        self.require(f"{stem}.safetensors")
        raise AssertionError("unreachable: the line above raises")

    def _shards(self, index: str) -> tuple[Path, ...]:
        weight_map = self.json(index).get("weight_map")
        names = list(weight_map.values()) if isinstance(weight_map, dict) else []
        if not names or not all(isinstance(name, str) and _is_shard(name) for name in names):
            raise ModelFolderError(
                f"a weight_map from tensors to safetensors files in the same folder was expected in "
                f"{self.path / index}; it holds something else. Download it again, or name another model."
            )
        return tuple(self.require(name) for name in sorted(set(names)))

    def model(self, kind: Any, what: str, *, stem: str = "model", **options: Any) -> Any:
        """The model of class `kind`, made by its `from_pretrained` from the safetensors weights `stem`.

        Args:
            what: names it in the error, "CLIP model" for example.
            options: further ones of `from_pretrained`.

        Raises:
            ModelFolderError: the weights are missing, only there as pickle, or see `filled`.
        """
        weights = self.weights(stem)
        return self.filled(kind, what, variant=weights.variant, use_safetensors=True, **options)

    def filled(self, kind: Any, what: str, **options: Any) -> Any:
        """A model that `kind.from_pretrained` reads, every tensor of it out of the folder.

        The libraries leave a tensor that the weights lack unset, or fill it with noise, and go on.

        Raises:
            ModelFolderError: the weights are damaged, incomplete, or of another model.
        """
        model, report = self.read(
            kind, what, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
        problems = [f"no tensor {name}" for name in sorted(report["missing_keys"])] + [
            f"{name} of shape {tuple(found)} instead of {tuple(wanted)}"
            for name, found, wanted in sorted(report["mismatched_keys"])
        ]
        if problems:
            more = f" and {len(problems) - 1} more such faults" if len(problems) > 1 else ""
            raise ModelFolderError(
                f"a {what} was expected in {self.path}; its weights have {problems[0]}{more}. "
                "Download it again, or name another model."
            )
        return model

    def read(self, kind: Any, what: str, **options: Any) -> Any:
        """What `kind.from_pretrained` reads out of the folder, a tokenizer for example; no hub is asked.

        Raises:
            ModelFolderError: it cannot be read.
        """
        try:
            with loading():
                return kind.from_pretrained(self.path, local_files_only=True, **options)
        except Exception as error:  # transformers, diffusers, tokenizers and safetensors fail in many ways
            raise ModelFolderError(
                f"a {what} was expected in {self.path}; it cannot be loaded "
                f"({type(error).__name__}: {_first_line(error)}). Download it again, or name another model."
            ) from error


def _first_line(error: Exception) -> str:
    """Of a message that may list every tensor of a model."""
    return str(error).strip().partition("\n")[0][:200]


def _is_shard(name: str) -> bool:
    path = PurePath(name)
    return path.suffix == ".safetensors" and not path.is_absolute() and ".." not in path.parts


def _pickle_stem(stem: str) -> str:
    return "pytorch_model" if stem == "model" else stem


def _looks_like_hub_id(model: str) -> bool:
    return model.count("/") <= 1 and not model.startswith((".", "/", "~")) and "\\" not in model


def _from_hub(model: str, only: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=list(only)))
    except Exception as error:  # network, permission and naming errors of several libraries
        raise ModelFolderError(
            f"neither a folder nor a model on a hub within reach: {model!r} ({type(error).__name__}). "
            "Check the spelling and the network, or give the path of a downloaded folder."
        ) from error
