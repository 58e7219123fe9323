"""What came out: one entry for every check, and what it was found on."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pmg_conformance.check import Kind, Tier
from pmg_conformance.exhibit import Exhibit
from pmg_conformance.fingerprint import Fingerprint
from pmg_conformance.printable import Printable, printable

__all__ = ["OUTCOMES", "Entry", "Failure", "Outcome", "Report"]

Outcome = Literal["pass", "fail", "not-claimed", "waived", "not-run"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Failure(_Record):
    """Why a check failed.

    Attributes:
        expected, got: what the contract says, and what was done.
        cause: where to look first, or "".
        repro: a command that runs this check alone.
    """

    expected: Printable
    got: Printable
    cause: Printable = ""
    repro: Printable = ""


class Entry(_Record):
    """One check's outcome.

    Attributes:
        id, title, tier: of the check.
        outcome: "pass"; "fail"; "not-claimed": the ability it is about is not claimed; "waived": it
            failed, and a waiver allows that; "not-run": it could not be tried.
        reason: of an outcome that is neither pass nor fail.
        provisional: a failure that does not count yet.
        failure: of "fail" and "waived".
        advice: what to do about a failure.
        seconds: it took.
        exhibits: media to look at.
    """

    id: Printable
    title: Printable
    tier: Tier
    outcome: Outcome
    reason: Printable = ""
    provisional: bool = False
    failure: Failure | None = None
    advice: Printable = ""
    seconds: float = Field(default=0.0, ge=0)
    exhibits: tuple[Exhibit, ...] = ()

    @property
    def explanation(self) -> str:
        """A failure in lines: the check, expected, got, likely cause, advice and how to run it alone."""
        if self.failure is None:
            return f"{self.id} {self.title}"
        told = {
            "expected": self.failure.expected,
            "got": self.failure.got,
            "likely cause": self.failure.cause,
            "advice": self.advice,
            "alone": self.failure.repro,
        }
        lines = [f"{name + ':':<14}{text}" for name, text in told.items() if text]
        return "\n".join([f"{self.id} {self.title}", *lines])


class Report(_Record):
    """The verdict on one adapter or scenario.

    Attributes:
        spec_version: of the checks.
        name, kind: what was tested.
        options: it was made with; of a value that JSON cannot hold, its repr.
        tier: up to which checks ran.
        claims: optional abilities it claims.
        entries: in the order they ran.
        fingerprint: on what.
    """

    spec_version: Printable
    name: Printable
    kind: Kind
    options: dict[str, Any] = Field(default_factory=dict)
    tier: Tier
    claims: tuple[Printable, ...] = ()
    entries: tuple[Entry, ...]
    fingerprint: Fingerprint

    @field_validator("options", mode="before")
    @classmethod
    def _as_json_has_them(cls, options: Any) -> Any:
        return _shown(json.loads(json.dumps(options, default=repr)))

    @property
    def passed(self) -> bool:
        """Whether something passed and nothing failed that counts."""
        return not self.failures and any(entry.outcome == "pass" for entry in self.entries)

    @property
    def failures(self) -> tuple[Entry, ...]:
        """Entries that failed and count."""
        return tuple(entry for entry in self.entries if entry.outcome == "fail" and not entry.provisional)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many entries had each outcome."""
        counted = Counter(entry.outcome for entry in self.entries)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def summary(self) -> str:
        """One line: the verdict and the counts."""
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.items() if count)
        verdict = "conforms" if self.passed else "does not conform"
        return f"{self.kind} {self.name} {verdict} to {self.spec_version} ({self.tier}): {counts}"

    def to_json(self) -> str:
        """Indented JSON; `Report.model_json_schema()` is its schema."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """What `to_json` wrote.

        Raises:
            InputError: the text is no report.
        """
        from pydantic import ValidationError

        from pmg_sdk.errors import InputError

        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise InputError(f"a conformance report was expected; {where}: {first['msg']}") from error

    def badge(self) -> str:
        """JSON of a shields.io endpoint badge."""
        told = f"{self.tier} {self.spec_version}" if self.passed else f"{len(self.failures)} failing"
        colour = "brightgreen" if self.passed else "red"
        badge = {"schemaVersion": 1, "label": "pmg conformance", "message": told, "color": colour}
        return json.dumps(badge, indent=2) + "\n"


def _shown(value: Any) -> Any:
    """A JSON value whose text can be shown and written as it is."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {printable(name): _shown(each) for name, each in value.items()}
    return value
