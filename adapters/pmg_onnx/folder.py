"""An exported folder: found, and compared with what its record says before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from pmg_onnx.record import FILE, FORMAT, Kind, Record
from pmg_sdk.assets.cache import sha256_of
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.json_file import load_object

__all__ = ["ExportFolder"]


@dataclass(frozen=True)
class ExportFolder:
    """A folder that `pmg export` made. Reading the record opens no model.

    Attributes:
        kind: what it is expected to be.
    """

    path: Path
    kind: Kind

    @classmethod
    def locate(cls, model: str, kind: Kind) -> ExportFolder:
        """The folder at `model`.

        Raises:
            ModelFolderError: there is no such folder, or `pmg export` did not make it.
        """
        place = Path(model).expanduser()
        if not (place / FILE).is_file():
            raise ModelFolderError(
                f"a folder made by `pmg export` was expected at {place}; "
                f"{f'it has no {FILE}' if place.is_dir() else 'there is none'}. "
                f"Make it: pmg export {kind.replace(' ', '-')} --from MODEL --out {place}"
            )
        folder = cls(place, kind)
        _ = folder.record
        return folder

    @cached_property
    def record(self) -> Record:
        """What stands in its `pmg_onnx.json`.

        Raises:
            ModelFolderError: it is damaged, of another version, or of another kind of model.
        """
        path = self.path / FILE
        value = load_object(path, ModelFolderError)
        if value.get("format") != FORMAT:
            raise ModelFolderError(
                f"format {FORMAT} was expected in {path}; it says {value.get('format')!r}. Export it again "
                "with this version of pmg-sdk."
            )
        try:
            record = Record.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ModelFolderError(f"{path}: {where}: {first['msg']}. Export it again.") from error
        if record.kind != self.kind:
            raise ModelFolderError(
                f"an exported {self.kind} was expected in {self.path}; it holds a {record.kind}. Export one: "
                f"pmg export {self.kind.replace(' ', '-')} --from {record.source} --out DIR"
            )
        return record

    def check(self) -> None:
        """Compare every file with its recorded sha256; reads all of them.

        Raises:
            ModelFolderError: one is missing, or is not the one that was exported.
        """
        for name, expected in self.record.files.items():
            path = self.path / name
            if not path.is_file():
                raise ModelFolderError(
                    f"the exported folder {self.path} has no {name}, which its {FILE} names. Copy the folder "
                    "whole, or export it again."
                )
            try:
                found = sha256_of(path)
            except OSError as error:
                raise ModelFolderError(f"{path} cannot be read: {error.strerror}") from error
            if found != expected:
                raise ModelFolderError(
                    f"{path} with sha256 {expected} was expected, the file that was exported; got one of "
                    f"{path.stat().st_size:,} bytes with {found}. It is damaged or from another export: copy "
                    "the folder whole, or export it again."
                )
