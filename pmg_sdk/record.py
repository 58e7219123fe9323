"""The JSON beside a result: every number of the choice, and all it takes to make it again.

It holds keywords, never the behaviour they were read from.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pmg_sdk.config import PMGConfig
from pmg_sdk.errors import PMGError, ReplayError
from pmg_sdk.json_file import load_json
from pmg_sdk.keywords import Keywords
from pmg_sdk.media import Media
from pmg_sdk.plan import KeywordParts
from pmg_sdk.provenance import Provenance
from pmg_sdk.selection import Candidate, Selection

__all__ = ["CandidateRecord", "MediaRecord", "Record", "media_digest"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CandidateRecord(_Frozen):
    """One candidate's numbers, and the sha256 of its medium; `weights` as `WeightPair.parse` reads them."""

    weights: str
    seed: int
    d_p: float | None
    d_t: float
    z: float
    sha256: str


class MediaRecord(_Frozen):
    """The winner's file."""

    file: str
    modality: str
    sha256: str


class Record(_Frozen):
    """`result.json`.

    Attributes:
        format: of this file.
        pmg_sdk: the version that wrote it.
        config, config_digest: the settings.
        models: adapters and models by role.
        seed: the noises follow from it.
        keywords, dropped: by "preference", "target" and "avoided".
        soft: the file of E_m beside this one, or None.
        winner: index into `candidates`.
    """

    format: Literal[1] = 1
    pmg_sdk: str
    config: dict[str, Any]
    config_digest: str
    models: dict[str, dict[str, str]]
    seed: int
    keywords: dict[str, Any]
    dropped: dict[str, Any]
    soft: str | None = Field(default=None, pattern=r"^[\w.-]+\.safetensors$")
    alpha: float
    clamped: int
    candidates: tuple[CandidateRecord, ...] = Field(min_length=1)
    winner: int = Field(ge=0)
    media: MediaRecord
    warnings: tuple[str, ...]

    @model_validator(mode="after")
    def _winner_is_a_candidate(self) -> Self:
        if self.winner >= len(self.candidates):
            raise ValueError(f"winner {self.winner} is not one of {len(self.candidates)} candidates")
        return self

    @classmethod
    def of(
        cls,
        *,
        config: PMGConfig,
        made_by: Provenance,
        seed: int,
        keywords: KeywordParts,
        dropped: KeywordParts,
        soft_file: str | None,
        selection: Selection,
        warnings: tuple[str, ...],
    ) -> Record:
        """Gather what is to be written."""
        candidates = tuple(_candidate(candidate) for candidate in selection.candidates)
        winner = next(
            index for index, candidate in enumerate(selection.candidates) if candidate is selection.winner
        )
        media = selection.winner.media
        return cls(
            pmg_sdk=made_by.version,
            config=config.to_json(),
            config_digest=config.digest(),
            models={role: dict(found) for role, found in made_by.models.items()},
            seed=seed,
            keywords=_parts(keywords),
            dropped=_parts(dropped),
            soft=soft_file,
            alpha=selection.alpha,
            clamped=selection.clamped,
            candidates=candidates,
            winner=winner,
            media=MediaRecord(
                file=f"winner{media.suffix}", modality=media.modality, sha256=candidates[winner].sha256
            ),
            warnings=warnings,
        )

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read a `result.json`.

        Raises:
            ReplayError: it is missing, damaged or of another format.
        """
        try:
            return cls.model_validate(load_json(path, "a result file", ReplayError))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise ReplayError(f"{path} is not a result file: {place}: {first['msg']}") from error

    def settings(self) -> PMGConfig:
        """The recorded config.

        Raises:
            ReplayError: this version of pmg-sdk does not know one of its fields, or it was edited.
        """
        try:
            config = PMGConfig(**self.config)
        except PMGError as error:
            raise ReplayError(f"the recorded config cannot be used by this version: {error}") from error
        if config.digest() != self.config_digest:
            raise ReplayError(
                "the recorded config and its digest differ: the file was edited, or another version of "
                f"pmg-sdk ({self.pmg_sdk}) wrote it. Replay it with that version."
            )
        return config

    def parts(self) -> KeywordParts:
        """The recorded keywords.

        Raises:
            ReplayError: they are damaged.
        """
        try:
            return KeywordParts(
                **{name: Keywords.from_json(values) for name, values in self.keywords.items()}
            )
        except (PMGError, TypeError, KeyError, ValueError) as error:
            raise ReplayError(f"the recorded keywords are damaged ({error})") from error


def media_digest(media: Media) -> str:
    """sha256 of the medium's file."""
    return hashlib.sha256(media.to_bytes()).hexdigest()


def _candidate(candidate: Candidate) -> CandidateRecord:
    return CandidateRecord(
        weights=str(candidate.weights),
        seed=candidate.seed,
        d_p=candidate.preference_score,
        d_t=candidate.accuracy_score,
        z=candidate.z,
        sha256=media_digest(candidate.media),
    )


def _parts(parts: KeywordParts) -> dict[str, Any]:
    return {name: getattr(parts, name).to_json() for name in ("preference", "target", "avoided")}
