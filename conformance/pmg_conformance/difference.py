"""What changed between two reports, for whoever upgraded something."""

from __future__ import annotations

from dataclasses import dataclass

from pmg_conformance.check import TIERS
from pmg_conformance.report import Entry, Report

__all__ = ["Change", "Difference", "compare"]


@dataclass(frozen=True)
class Change:
    """One thing that was different before; "" is for what was not there.

    Attributes:
        name: a check's id, or a part of the fingerprint.
        before, after: its outcome, or its value.
        title: of the check.
    """

    name: str
    before: str
    after: str
    title: str = ""

    @property
    def regression(self) -> bool:
        """Whether a check that passed no longer does."""
        return self.before == "pass" and bool(self.title)


@dataclass(frozen=True)
class Difference:
    """Between two reports.

    Attributes:
        outcomes: of checks whose outcome changed, or that only one report has.
        made_on: changes of the fingerprint, the golden hash among them.
        not_compared: checks of a tier that the later report did not run up to.
    """

    outcomes: tuple[Change, ...]
    made_on: tuple[Change, ...]
    not_compared: tuple[str, ...] = ()

    @property
    def regressions(self) -> tuple[Change, ...]:
        """Checks that passed and no longer do."""
        return tuple(change for change in self.outcomes if change.regression)


def compare(before: Report, after: Report) -> Difference:
    """What changed from one report to the other.

    A check that passed and is missing later counts as one that no longer passes, unless the later
    report stopped at an earlier tier.
    """
    one, other = ({entry.id: entry for entry in report.entries} for report in (before, after))
    beyond = {id for id, entry in one.items() if TIERS.index(entry.tier) > TIERS.index(after.tier)}
    skipped = tuple(id for id in one if id in beyond and id not in other)
    outcomes = [
        Change(id, _outcome(one.get(id)), _outcome(other.get(id)), (other.get(id) or one[id]).title)
        for id in {**one, **other}
        if id not in skipped
    ]
    first, second = _made_on(before), _made_on(after)
    made_on = [Change(name, first.get(name, ""), second.get(name, "")) for name in {**first, **second}]
    return Difference(
        tuple(change for change in outcomes if change.before != change.after),
        tuple(change for change in made_on if change.before != change.after),
        skipped,
    )


def _outcome(entry: Entry | None) -> str:
    if entry is None:
        return ""
    return f"{entry.outcome} (provisional)" if entry.provisional and entry.failure else entry.outcome


def _made_on(report: Report) -> dict[str, str]:
    found = report.fingerprint
    return {
        "spec": report.spec_version,
        "tier": report.tier,
        "options": str(dict(sorted(report.options.items()))) if report.options else "",
        "claims": ", ".join(report.claims),
        "golden hash": found.golden,
        "python": found.python,
        "system": f"{found.system} {found.machine}",
        "device": found.device,
        **found.packages,
    }
