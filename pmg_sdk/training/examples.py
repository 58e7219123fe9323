"""Examples as files: what `prepare` makes once and training reads again and again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_sdk.errors import InputError
from pmg_sdk.json_file import load_object
from pmg_sdk.keywords import Keywords
from pmg_sdk.storage import write_bytes, write_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ExampleFolder", "TrainingExample"]

_FORMAT = 1
_ABOUT = "examples.json"


@dataclass(frozen=True, eq=False)
class TrainingExample:
    """One user's sequence, ready to learn from.

    Attributes:
        id: of the user.
        prompt: (p, x, y), what the soft preference encoder reads; nothing of the target is in it.
        preference: k^p, read from the same.
        target: k^t of the last item, what was asked for; may be empty.
        latent: what the generator's loss compares with, see `SupportsTraining.training_targets`.
    """

    id: str
    prompt: str
    preference: Keywords
    target: Keywords
    latent: NDArray[np.float32]


class ExampleFolder:
    """A folder of examples by part ("train", "validation", ...), in shards that are written whole.

    A shard is one safetensors file: the latents as float16, the texts as JSON in its header.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def about(self) -> dict[str, Any]:
        """What the examples were made from and by: scenario, text space, size, models, limits.

        Raises:
            InputError: this is no folder of examples.
        """
        about = load_object(self.path / _ABOUT, InputError)
        if about.get("format") != _FORMAT:
            raise InputError(
                f"examples of format {_FORMAT} were expected in {self.path}; got {about.get('format')!r}. "
                "Prepare them again with this version."
            )
        return about

    def begin(self, about: Mapping[str, Any]) -> None:
        """Note what the examples are made by; a folder begun before must have been begun alike.

        Raises:
            InputError: the folder holds examples made with other settings. StorageError: see `write_json`.
        """
        stated = {"format": _FORMAT, **about}
        if (self.path / _ABOUT).exists():
            different = [key for key, value in stated.items() if self.about.get(key) != value]
            if different:
                raise InputError(
                    f"{self.path} holds examples made with other {', '.join(different)}. "
                    "Take the settings of then, or another folder."
                )
            return
        write_json(self.path / _ABOUT, stated)

    def has(self, part: str, shard: int) -> bool:
        """Whether a shard is there."""
        return self._file(part, shard).exists()

    def counts(self, part: str, shard: int) -> tuple[int, int]:
        """(examples in a shard, users it was made from), without reading the examples.

        Raises:
            InputError: the file is damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = self._file(part, shard)
        try:
            with safe_open(path, framework="numpy") as file:
                examples, *_ = file.get_slice("latents").get_shape()
                return int(examples), int((file.metadata() or {})["users"])
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise _damaged(path, error) from error

    def write(self, part: str, shard: int, examples: Sequence[TrainingExample], *, users: int) -> None:
        """Write a shard in one step.

        Args:
            users: how many it was made from, those who were left out included.

        Raises:
            StorageError: it cannot be written.
        """
        from safetensors.numpy import save

        records = [
            {
                "id": example.id,
                "prompt": example.prompt,
                "preference": example.preference.to_json(),
                "target": example.target.to_json(),
            }
            for example in examples
        ]
        latents = np.array([example.latent for example in examples], dtype=np.float16)
        text = json.dumps(records, ensure_ascii=True)
        about = {"examples": text, "users": str(users)}
        write_bytes(self._file(part, shard), save({"latents": latents}, metadata=about))

    def read(self, part: str) -> list[TrainingExample]:
        """All examples of a part, in order.

        Raises:
            InputError: there are none, or a file is damaged.
        """
        files = sorted(self.path.glob(f"{part}-*.safetensors"))
        found = [example for file in files for example in _read(file)]
        if not found:
            raise InputError(f"examples of the part {part!r} were expected in {self.path}; there are none")
        return found

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of which there is a shard, sorted."""
        return tuple(sorted({file.stem.rpartition("-")[0] for file in self.path.glob("*-*.safetensors")}))

    def _file(self, part: str, shard: int) -> Path:
        return self.path / f"{part}-{shard:05d}.safetensors"


def _read(path: Path) -> list[TrainingExample]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            records = json.loads((file.metadata() or {})["examples"])
            latents = file.get_tensor("latents").astype(np.float32)
        return [
            TrainingExample(
                id=str(record["id"]),
                prompt=str(record["prompt"]),
                preference=Keywords.from_json(record["preference"]),
                target=Keywords.from_json(record["target"]),
                latent=latent,
            )
            for record, latent in zip(records, latents, strict=True)
        ]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"a shard of training examples was expected at {path}; it is damaged ({type(error).__name__}). "
        "Delete it and prepare again: the others stay."
    )
