"""What a user likes, as a value: computed once, saved, and used for many targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.conditioning_file import read_conditioning, write_conditioning
from pmg_sdk.describe import BehaviorSummary
from pmg_sdk.errors import InputError
from pmg_sdk.json_file import load_json
from pmg_sdk.keywords import Keywords
from pmg_sdk.provenance import Provenance
from pmg_sdk.storage import write_json

__all__ = ["UserPreference"]

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class UserPreference:
    """k^p and E_m of one user, and what they were made from and by.

    Attributes:
        keywords: k^p, the most important first; empty for a user nothing is known of.
        avoided: keywords of what the user turned down.
        summary: x and y, the behaviour as short texts; None when only keywords are known.
        soft: E_m, where a soft preference encoder made one.
        made_by: scenario, settings, models and version.
        warnings: what went differently than asked, without any of the user's text.
    """

    keywords: Keywords
    avoided: Keywords = field(default_factory=Keywords)
    summary: BehaviorSummary | None = None
    soft: Conditioning | None = None
    made_by: Provenance = field(default_factory=Provenance)
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is known that could personalise."""
        return bool(self.keywords) or self.soft is not None

    def save(self, path: str | Path) -> Path:
        """Write JSON to `path`, and E_m, where there is one, beside it as safetensors.

        The JSON names its safetensors file and is replaced last, in one step: a reader sees the
        old preference or the new one, never a mixture. The summary is part of the file; keep it
        as carefully as the behaviour itself.

        Raises:
            StorageError: it cannot be written; what was there before is untouched.
        """
        path = Path(path)
        before = _soft_file_of(path)
        soft_file = None
        if self.soft is not None:
            soft_file = f"{path.stem}.{_fingerprint(self.soft)}.safetensors"
            write_conditioning(path.with_name(soft_file), self.soft)
        written = {
            "format": _FORMAT,
            "keywords": self.keywords.to_json(),
            "avoided": self.avoided.to_json(),
            "summary": None if self.summary is None else asdict(self.summary),
            "soft": soft_file,
            "made_by": self.made_by.to_json(),
            "warnings": list(self.warnings),
        }
        try:
            write_json(path, written)
        except BaseException:
            if soft_file is not None and soft_file != before:
                path.with_name(soft_file).unlink(missing_ok=True)
            raise
        if before is not None and before != soft_file:
            path.with_name(before).unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, path: str | Path) -> UserPreference:
        """Read what `save` wrote.

        Raises:
            InputError: a file is missing, damaged or of a newer format.
        """
        path = Path(path)
        values = _read(path)
        if values.get("format") != _FORMAT:
            raise InputError(
                f"a preference file of format {_FORMAT} was expected at {path}; "
                f"it states {values.get('format')!r}. Read it with the version of pmg-sdk that wrote it."
            )
        try:
            soft_file, summary = values["soft"], values["summary"]
            return cls(
                keywords=Keywords.from_json(values["keywords"]),
                avoided=Keywords.from_json(values["avoided"]),
                summary=None if summary is None else _summary(summary),
                soft=None if soft_file is None else read_conditioning(_beside(path, soft_file)),
                made_by=Provenance(**values["made_by"]),
                warnings=tuple(map(str, values["warnings"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a preference file ({type(error).__name__}: {error})") from error


def _read(path: Path) -> Mapping[str, Any]:
    values = load_json(path, "a preference file", InputError)
    if not isinstance(values, dict):
        raise InputError(f"{path} is not a preference file: it holds {type(values).__name__}, not an object")
    return values


def _summary(values: Mapping[str, Any]) -> BehaviorSummary:
    return BehaviorSummary(**{name: tuple(map(str, texts)) for name, texts in values.items()})


def _soft_file_of(path: Path) -> str | None:
    try:
        name = _read(path).get("soft")
        return None if name is None else _beside(path, name).name
    except InputError:
        return None


def _beside(path: Path, name: object) -> Path:
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
        raise InputError(f"{path} names an embeddings file that is not one beside it: {name!r}")
    return path.with_name(name)


def _fingerprint(soft: Conditioning) -> str:
    import hashlib

    pooled = b"" if soft.pooled is None else soft.pooled.tobytes()
    return hashlib.sha256(soft.space.encode() + soft.embeds.tobytes() + pooled).hexdigest()[:12]
