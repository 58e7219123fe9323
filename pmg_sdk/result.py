"""What a run gives back: the winner, and the evidence for the choice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pmg_sdk.conditioning_file import write_conditioning
from pmg_sdk.config import PMGConfig
from pmg_sdk.media import Media
from pmg_sdk.plan import KeywordParts, Plan
from pmg_sdk.preference import UserPreference
from pmg_sdk.provenance import Provenance
from pmg_sdk.record import Record
from pmg_sdk.result_folder import check_replaceable, replacing_folder
from pmg_sdk.result_page import result_page
from pmg_sdk.selection import EPSILON, Candidate, Selection
from pmg_sdk.sheet import contact_sheet
from pmg_sdk.storage import write_json, write_text
from pmg_sdk.target import Target

__all__ = ["RESULT_FILE", "Result", "check_result_folder"]

RESULT_FILE = "result.json"
_SHEET_FILE = "sheet.png"
_PAGE_FILE = "report.html"
_SOFT_FILE = "preference.safetensors"
_BESIDE = (_SHEET_FILE, _PAGE_FILE, _SOFT_FILE, "winner.*", ".DS_Store")  # the last: by macOS


def check_result_folder(folder: str | Path) -> None:
    """Refuse, before anything is made, a folder that `Result.save` would refuse afterwards.

    Raises:
        StorageError: it holds something else, or nothing can be made beside it.
    """
    check_replaceable(Path(folder), marker=RESULT_FILE, others=_BESIDE)


@dataclass(frozen=True, eq=False)
class Result:
    """The winner, every candidate's numbers, and all it takes to make them again.

    Attributes:
        selection: the candidates, scored, and the winner.
        preference: of the user.
        target: what was asked for.
        plan: what was sent to the generator, and the keywords that did not fit.
        config: the settings.
        seed: the noises follow from it.
        made_by: adapters, models and version.
        reproduced: of a replay, whether the medium's bytes are the recorded ones; None otherwise.
        notes: warnings of the replay itself.
    """

    selection: Selection
    preference: UserPreference
    target: Target
    plan: Plan
    config: PMGConfig
    seed: int
    made_by: Provenance
    reproduced: bool | None = None
    notes: tuple[str, ...] = ()

    @property
    def media(self) -> Media:
        """The winner's medium."""
        return self.winner.media

    @property
    def winner(self) -> Candidate:
        """The candidate with the largest z."""
        return self.selection.winner

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates, in the order of the grid."""
        return self.selection.candidates

    @property
    def dropped(self) -> KeywordParts:
        """Keywords beyond the text encoder's limit."""
        return self.plan.dropped

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went differently than asked, in the order of the steps, each once."""
        found = [*self.preference.warnings, *self.target.warnings, *self.plan.warnings]
        if self.selection.clamped:
            found.append(
                f"{self.selection.clamped} of {len(self.candidates)} candidates show so little of the "
                f"keywords that a cosine was clamped at {EPSILON:g}"
            )
        return tuple(dict.fromkeys([*found, *self.notes]))

    def record(self) -> Record:
        """The result without its media and without any text of the user's: what `replay` reads."""
        return self._record

    @cached_property
    def _record(self) -> Record:  # once: it takes a digest of every candidate's file
        return Record.of(
            config=self.config,
            made_by=self.made_by,
            seed=self.seed,
            keywords=self.plan.keywords,
            dropped=self.dropped,
            soft_file=None if self.preference.soft is None else _SOFT_FILE,
            selection=self.selection,
            warnings=self.warnings,
        )

    def save(self, folder: str | Path) -> Path:
        """Write the winner, `sheet.png` and `report.html` with all candidates, and `result.json`: all or
        nothing.

        An earlier result at `folder` is replaced in one step; a folder with anything else is refused.

        Raises:
            StorageError: it cannot be written; what was there before is untouched.
        """
        folder, record = Path(folder), self.record()
        with replacing_folder(folder, marker=RESULT_FILE, others=_BESIDE) as scratch:
            self.media.save(scratch / record.media.file)
            contact_sheet(self.selection).save(scratch / _SHEET_FILE)
            write_text(scratch / _PAGE_FILE, result_page(record, self.selection))
            if self.preference.soft is not None:
                write_conditioning(scratch / _SOFT_FILE, self.preference.soft)
            write_json(scratch / RESULT_FILE, record.model_dump(mode="json"))
        return folder
