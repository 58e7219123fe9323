"""A trained soft preference encoder as files: one safetensors file, and JSON that says what it fits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import ModelFolderError
from pmg_sdk.json_file import load_object
from pmg_sdk.storage import write_bytes, write_json

if TYPE_CHECKING:
    import torch

    from pmg_transformers.soft_preference.llm_print import LLMPrint

__all__ = ["JSON_FILE", "SoftCheckpoint", "named_from"]

FORMAT, VECTOR_FORMAT = 1, 2
"""Of E_m that is L tokens, and of E_m that is one vector, which who knows tokens alone must refuse."""
JSON_FILE = "soft_preference.json"


@dataclass(frozen=True, eq=False)
class SoftCheckpoint:
    """What was learnt, and all that is needed to use it or to go on.

    Attributes:
        llm: its name as given in training, and what its weights look like.
        space: the text space E_m lives in.
        scenario: name of the scenario whose prompts were read.
        tokens, prefix: L and S.
        values: trained tensors by name; for a run that is not over, those of its best validation.
        length: of E_m, where it is the one vector of a "pooled" generator; None where it is L tokens.
        data: what the examples were made from and by, and how many there were.
        recipe: of the run.
        measures: losses and the step they belong to.
        progress: counters of a run that can go on; empty in one that is exported.
        state: tensors of such a run: current values and the optimizer's.
    """

    llm: str
    llm_print: LLMPrint
    space: str
    scenario: str
    tokens: int
    prefix: int
    values: Mapping[str, torch.Tensor]
    length: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def save(self, folder: Path) -> Path:
        """Write both files; the JSON names the other and is replaced last, so a reader sees one checkpoint.

        Raises:
            StorageError: they cannot be written; what was there before is untouched.
        """
        data = self.weights()
        before = _weights_file(folder)
        name = f"soft_preference.{hashlib.sha256(data).hexdigest()[:12]}.safetensors"
        write_bytes(folder / name, data)
        fields = ("llm", "space", "scenario", "tokens", "prefix")
        write_json(
            folder / JSON_FILE,
            {
                "format": FORMAT if self.length is None else VECTOR_FORMAT,
                "weights": name,
                **{key: getattr(self, key) for key in fields},
                **({} if self.length is None else {"conditioning": "pooled", "length": self.length}),
                "llm_print": asdict(self.llm_print),
                **{key: dict(getattr(self, key)) for key in ("data", "recipe", "measures", "progress")},
            },
        )
        if before is not None and before.name != name:
            before.unlink(missing_ok=True)
        return folder

    def weights(self) -> bytes:
        """The safetensors file: values, and the state of a run that can go on."""
        from safetensors.torch import save

        tensors = {f"values.{name}": value.contiguous() for name, value in self.values.items()}
        tensors |= {f"state.{name}": value.contiguous() for name, value in self.state.items()}
        return save(tensors)

    @classmethod
    def load(cls, folder: Path) -> SoftCheckpoint:
        """Read what `save` wrote.

        Raises:
            ModelFolderError: a file is missing, damaged, or of another format.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        about = cls.describe(folder)
        path = _weights_file(folder)
        try:
            if path is None:
                raise KeyError("weights")
            tensors = load_file(path)
        except (OSError, SafetensorError, KeyError) as error:
            raise ModelFolderError(
                f"the weights that {folder / JSON_FILE} names cannot be read ({type(error).__name__}). "
                "Copy the folder again."
            ) from error
        return replace(about, values=named_from(tensors, "values."), state=named_from(tensors, "state."))

    @classmethod
    def describe(cls, folder: Path) -> SoftCheckpoint:
        """The JSON alone: everything but tensors.

        Raises:
            ModelFolderError: as `load`.
        """
        from pmg_transformers.soft_preference.llm_print import LLMPrint

        stated = load_object(folder / JSON_FILE, ModelFolderError)
        if stated.get("format") not in (FORMAT, VECTOR_FORMAT):
            raise ModelFolderError(
                f"a soft preference checkpoint of format {FORMAT} or {VECTOR_FORMAT} was expected in "
                f"{folder}; it states {stated.get('format')!r}. Read it with the version of pmg-sdk that "
                "wrote it."
            )
        try:
            return cls(
                llm=str(stated["llm"]),
                llm_print=LLMPrint.from_json(stated["llm_print"]),
                space=str(stated["space"]),
                scenario=str(stated["scenario"]),
                tokens=int(stated["tokens"]),
                prefix=int(stated["prefix"]),
                values={},
                length=_length(stated),
                **{key: dict(stated[key]) for key in ("data", "recipe", "measures", "progress")},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFolderError(
                f"{folder / JSON_FILE} is no soft preference checkpoint ({type(error).__name__}: {error})"
            ) from error

    def exported(self) -> SoftCheckpoint:
        """What inference needs: the best values without the state of the run, in half the bytes."""
        import torch

        halved = {name: value.to(torch.float16) for name, value in self.values.items()}
        return replace(self, values=halved, state={}, progress={})


def _length(stated: Mapping[str, Any]) -> float | None:
    """Of the vector that a checkpoint gives; None of one that gives tokens."""
    if stated["format"] == FORMAT:
        return None
    length = float(stated["length"])
    if stated["conditioning"] != "pooled" or not 0 < length < math.inf:
        raise ValueError(
            "a vector of a length above 0 for conditioning 'pooled' was expected; got length "
            f"{length} for {stated['conditioning']!r}"
        )
    return length


def named_from(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors under a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _weights_file(folder: Path) -> Path | None:
    if not (folder / JSON_FILE).exists():
        return None
    name = load_object(folder / JSON_FILE, ModelFolderError).get("weights")
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
        raise ModelFolderError(f"{folder / JSON_FILE} names no safetensors file beside it; got {name!r}")
    return folder / name
