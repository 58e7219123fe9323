"""Run checks on a subject and say what came out. The command line and pytest are doors to this."""

from __future__ import annotations

import datetime as dt
import itertools
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pmg_conformance.check import Check, Kind, Tier, checks, find_check
from pmg_conformance.failure import ConformanceFailure, NotRun
from pmg_conformance.fingerprint import golden, take
from pmg_conformance.report import Entry, Failure, Report
from pmg_conformance.repro import repro
from pmg_conformance.spec import SPEC_VERSION
from pmg_conformance.subject import Aids, Subject
from pmg_conformance.target import find
from pmg_conformance.waivers import Waiver
from pmg_sdk.errors import InputError, MissingExtra, PMGError
from pmg_sdk.plugins import Registry

__all__ = ["Run", "check_adapter", "check_subject", "run_check"]

_FIRST = ("PMG-ANY-001", "PMG-SCN-001")
"""Without these there is nothing to check."""


def check_adapter(
    target: str | Callable[..., Any] | Any,
    *,
    kind: Kind | None = None,
    options: Mapping[str, Any] | None = None,
    declared: frozenset[str] | None = None,
    tier: Tier = "core",
    only: Sequence[str] = (),
    waivers: Mapping[str, Waiver] | None = None,
    aids: Aids | None = None,
    golden: Path | None = None,
    plugins: Registry | None = None,
    on_entry: Callable[[Entry], None] | None = None,
) -> Report:
    """Check an adapter or a scenario.

    Args:
        target, kind, options, declared, aids, plugins: see `pmg_conformance.target.find`.
        tier: "smoke" takes seconds, "core" minutes on a CPU, "full" may want a GPU.
        only: ids of checks to run; empty runs all of the tier.
        waivers: known failures by id, see `load_waivers`.
        golden: a file that `pmg conformance record` wrote, to compare answers with.
        on_entry: hears of every entry as it comes.

    Raises:
        InputError: the target cannot be found, an id of `only` is unknown or for another role, or the
            golden file is corrupt or of another adapter, role or version of the contract.
    """
    if golden is not None:
        aids = (aids or Aids()).with_golden(golden)
    subject = find(target, kind=kind, options=options, declared=declared, aids=aids, plugins=plugins)
    return check_subject(subject, tier=tier, only=only, waivers=waivers, on_entry=on_entry)


def check_subject(
    subject: Subject,
    *,
    tier: Tier = "core",
    only: Sequence[str] = (),
    waivers: Mapping[str, Waiver] | None = None,
    on_entry: Callable[[Entry], None] | None = None,
) -> Report:
    """As `check_adapter`, for a subject that was found.

    Raises:
        InputError: its golden file is of another adapter, role or version of the contract.
    """
    subject.tier = tier
    run = Run(subject, waivers)
    entries = []
    for entry in itertools.chain(map(run.entry, chosen_checks(subject, tier, only)), run.stray_waivers()):
        entries.append(entry)
        if on_entry is not None:
            on_entry(entry)
    conforms = subject.kind != "scenario" and not any(entry.failure for entry in entries)
    return Report(
        spec_version=SPEC_VERSION,
        name=subject.name,
        kind=subject.kind,
        options=dict(subject.options),
        tier=tier,
        claims=tuple(sorted(_claims(subject))),
        entries=tuple(entries),
        fingerprint=take(subject, _golden(subject) if conforms else ""),
    )


class Run:
    """Checks on one subject, one after another.

    It knows what failed before: after a smoke check that failed, no later tier runs.

    Raises:
        InputError: the subject's golden file is of another adapter, role or version of the contract.
    """

    def __init__(self, subject: Subject, waivers: Mapping[str, Waiver] | None = None) -> None:
        if subject.aids.golden is not None:
            subject.aids.golden.must_fit(subject)
        self.subject = subject
        self.waivers = dict(waivers or {})
        self._blocked = ""
        self._smoking: list[str] = []

    def entry(self, check: Check) -> Entry:
        """The check's outcome; it runs unless what failed before makes that pointless."""
        if self._smoking and check.tier != "smoke" and not self._blocked:
            self._blocked = f"smoke checks failed: {', '.join(self._smoking)}"
        if self._blocked:
            return _entry(check, "not-run", reason=self._blocked)
        entry = run_check(check, self.subject, self.waivers.get(check.id))
        if entry.outcome == "fail" and check.tier == "smoke" and not entry.provisional:
            self._smoking.append(check.id)
            if check.id in _FIRST:
                self._blocked = f"{check.id} failed: there is nothing to check"
        return entry

    def stray_waivers(self) -> Iterator[Entry]:
        """A failure for every waiver that names no check."""
        known = {check.id for check in checks()}
        for id in self.waivers:
            if id not in known:
                yield Entry(
                    id=id,
                    title="Waivers name checks that exist.",
                    tier="smoke",
                    outcome="fail",
                    failure=Failure(
                        expected="the id of a check", got=id, cause="a misspelt id in the waivers"
                    ),
                )


def run_check(check: Check, subject: Subject, waiver: Waiver | None = None) -> Entry:
    """One check's outcome.

    A check whose ability is not claimed does not run. Any error but `NotRun` is a failure; Ctrl-C is none.
    """
    shown = len(subject.exhibits)
    started = time.perf_counter()
    failure: Failure | None = None
    reason = ""
    try:
        if check.requires is not None and check.requires not in subject.claims:
            return _entry(check, "not-claimed", reason=f"does not claim {check.requires!r}")
        check.run(subject)
    except NotRun as nothing:
        reason = str(nothing)
    except ConformanceFailure as broken:
        failure = Failure(
            expected=broken.expected, got=broken.got, cause=broken.cause, repro=repro(check, subject)
        )
    except (Exception, SystemExit) as error:  # an adapter is foreign code: all but Ctrl-C is a finding
        failure = Failure(
            expected="no error",
            got=f"{type(error).__name__}: {error}"[:500],
            cause=_where(error),
            repro=repro(check, subject),
        )
    details: dict[str, Any] = {
        "seconds": round(time.perf_counter() - started, 4),
        "exhibits": tuple(subject.exhibits[shown:]),
    }
    if reason:
        return _entry(check, "not-run", reason=reason, **details)
    if waiver is not None:
        return _waived(check, waiver, failure, details)
    return _entry(check, "fail" if failure else "pass", failure=failure, **details)


def chosen_checks(subject: Subject, tier: Tier = "core", only: Sequence[str] = ()) -> Sequence[Check]:
    """Those of `only`, or all of the tier.

    Raises:
        InputError: an id is unknown, or for another role.
    """
    fitting = checks(subject.kind, tier="full")
    for id in only:
        if find_check(id) not in fitting:
            raise InputError(
                f"{find_check(id).id} is no check of a {subject.kind}. See `pmg conformance checks`."
            )
    return [find_check(id) for id in only] or checks(subject.kind, tier)


def _waived(check: Check, waiver: Waiver, failure: Failure | None, details: dict[str, Any]) -> Entry:
    today = dt.date.today()
    if failure is None:
        stale = Failure(
            expected=f"a failure, as the waiver says ({waiver.reason})",
            got="a pass",
            cause="it was mended; remove the waiver",
        )
        return _entry(check, "fail", failure=stale, **details)
    if today > waiver.until:
        ended = f"the waiver ended on {waiver.until}"
        return _entry(check, "fail", failure=failure.model_copy(update={"cause": ended}), **details)
    return _entry(
        check, "waived", reason=f"{waiver.reason} (until {waiver.until})", failure=failure, **details
    )


def _entry(check: Check, outcome: Any, **fields: Any) -> Entry:
    return Entry(
        id=check.id,
        title=check.title,
        tier=check.tier,
        outcome=outcome,
        provisional=check.provisional,
        advice=check.advice,
        **fields,
    )


def _where(error: BaseException) -> str:
    """The last line of the adapter's code in the traceback, and a hint for known errors."""
    if isinstance(error, MissingExtra):
        return "a package it needs is not installed"
    if isinstance(error, PMGError):
        return ""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "pmg_conformance" not in f.filename]
    if not frames:
        return ""
    last = frames[-1]
    return f"{last.filename.rsplit('/', 2)[-1]}:{last.lineno} in {last.name}"


def _claims(subject: Subject) -> frozenset[str]:
    try:
        return subject.claims if subject.kind != "scenario" else frozenset()
    except (Exception, SystemExit):  # it could not be made; PMG-ANY-001 says so
        return frozenset()


def _golden(subject: Subject) -> str:
    try:
        return golden(subject)
    except (Exception, SystemExit):  # what failed is in the entries
        return ""
