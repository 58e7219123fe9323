"""Which check kills which mutant: the test of the checks.

    python -m pmg_conformance.kill_matrix --out docs/kill-matrix.md

A check that kills no mutant may be one that cannot fail, a mutant that lives shows a hole, and a reference
that is killed shows a check that asks too much. The matrix is complete when there is none of them.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pmg_conformance.check import Check, Tier, checks
from pmg_conformance.engine import run_check
from pmg_conformance.golden import record
from pmg_conformance.mutants import Mutant, mutants
from pmg_conformance.reference.aids import reference_aids
from pmg_conformance.reference.plugin import pmg_adapters, pmg_scenarios
from pmg_conformance.spec import SPEC_VERSION
from pmg_conformance.subject import Aids, Subject
from pmg_conformance.target import find
from pmg_sdk.storage import write_bytes

__all__ = ["KillMatrix", "failing", "kill_matrix", "main", "references"]

"""Most checks that the page names for one mutant, besides the one that is meant for it."""


@dataclass(frozen=True)
class KillMatrix:
    """What every mutant and every reference failed.

    Attributes:
        tier: up to which checks ran.
        checks: that ran, by id.
        kills: mutant -> ids of the checks it failed.
        references: name of a reference -> ids of the checks it failed, which should be none.
        seconds: it took.
    """

    tier: Tier
    checks: tuple[Check, ...]
    kills: Mapping[Mutant, tuple[str, ...]]
    references: Mapping[str, tuple[str, ...]]
    seconds: float

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """Mutants that the check meant for them does not kill."""
        return tuple(mutant for mutant, killers in self.kills.items() if mutant.killed_by not in killers)

    @property
    def toothless(self) -> tuple[str, ...]:
        """Required checks that kill no mutant."""
        killing = {mutant.killed_by for mutant, ids in self.kills.items() if mutant.killed_by in ids}
        return tuple(each.id for each in self.checks if not each.provisional and each.id not in killing)

    @property
    def refused(self) -> tuple[str, ...]:
        """References that some check kills."""
        return tuple(f"{name} by {', '.join(ids)}" for name, ids in self.references.items() if ids)

    @property
    def complete(self) -> bool:
        """Every required check kills a mutant, every mutant is killed, and no reference is."""
        return not (self.survivors or self.toothless or self.refused)

    @property
    def summary(self) -> str:
        """One line, and one more for everything that is wrong."""
        lines = [
            f"{len(self.checks)} checks, {len(self.kills)} mutants, {len(self.references)} references: "
            + ("complete" if self.complete else "incomplete")
        ]
        lines += [f"no check {each.killed_by} kills {each.kind}/{each.name}" for each in self.survivors]
        lines += [f"{id} kills no mutant" for id in self.toothless]
        lines += [f"a reference is killed: {each}" for each in self.refused]
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """A page: what each check kills, and what each mutant is killed by."""
        return "\n".join([*_head(self), *_by_check(self), "", *_by_mutant(self), ""])


def kill_matrix(*, tier: Tier = "core") -> KillMatrix:
    """Run every check of the tier on every mutant and reference, whatever fails on the way."""
    started = time.perf_counter()
    aids = reference_aids()
    killed_references = {}
    for subject in references(reference_aids):
        killed_references[f"{subject.kind} {subject.name}"] = failing(subject, tier)
    kills = {}
    for mutant in sorted(mutants(), key=lambda each: (each.kind, each.killed_by, each.name)):
        kills[mutant] = failing(mutant.subject(aids), tier)
    ran = tuple(sorted(checks(tier=tier), key=lambda each: each.id))
    return KillMatrix(tier, ran, kills, killed_references, time.perf_counter() - started)


def failing(subject: Subject, tier: Tier = "core") -> tuple[str, ...]:
    """Ids of all checks that a subject fails; what it prints and warns of is swallowed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entries = [run_check(each, subject) for each in checks(subject.kind, tier)]
    return tuple(entry.id for entry in entries if entry.outcome == "fail")


def references(aids_of: Callable[[str | None], Aids]) -> Iterable[Subject]:
    """The references, in every form that checks treat apart.

    Args:
        aids_of: a modality to what its adapters are checked with.
    """
    for spec in pmg_adapters():
        forms: Sequence[dict[str, str]] = [{}]
        if spec.role == "generator":
            forms = [{"conditioning": kind} for kind in ("sequence", "pooled", "text")]
        elif spec.role == "soft_preference":
            forms = [{"conditioning": kind} for kind in ("sequence", "pooled")]
        aids = aids_of(spec.modality)
        for options in forms:
            found = find(spec.factory, kind=spec.role, options=options, declared=spec.capabilities, aids=aids)
            found.spec = spec
            found.aids = dataclasses.replace(found.aids, golden=record(found))
            found.name = " ".join([spec.factory.partition(":")[2], *options.values()])
            yield found
    for scenario in pmg_scenarios():
        found = find(scenario.factory, aids=aids_of(None))
        found.spec, found.name = scenario, scenario.factory.partition(":")[2]
        yield found


def _head(matrix: KillMatrix) -> list[str]:
    broken = [] if matrix.complete else ["", "**Incomplete:**", "", *(f"- {line}" for line in _wrong(matrix))]
    counts = f"{len(matrix.checks)} checks, {len(matrix.kills)} mutants, {len(matrix.references)} references"
    return [
        "# Kill matrix",
        "",
        "The checks of `pmg_conformance` are tested by adapters and scenarios that are wrong on purpose",
        "([`pmg_conformance.mutants`](../conformance/pmg_conformance/mutants)): every check must kill one,",
        "every mutant must be killed by the check that is meant for it, and the",
        "[references](../conformance/pmg_conformance/reference) by none.",
        "",
        "This page is written by `python -m pmg_conformance.kill_matrix --out docs/kill-matrix.md`.",
        "",
        f"Contract {SPEC_VERSION}, tier {matrix.tier}: {counts}.",
        *broken,
        "",
    ]


def _wrong(matrix: KillMatrix) -> list[str]:
    return matrix.summary.splitlines()[1:]


def _by_check(matrix: KillMatrix) -> list[str]:
    rows = [
        "## What each check kills",
        "",
        "Of the mutants that are meant for it.",
        "",
        "| check | asks that | kills | for example |",
        "|---|---|---:|---|",
    ]
    for each in matrix.checks:
        # Those meant for it alone: what else dies of it depends on the machine's speed and memory too.
        killed = [m for m, ids in matrix.kills.items() if m.killed_by == each.id and each.id in ids]
        example = next(iter(killed), None)
        shown = "none" if example is None else f"{example.kind}: {example.wrong}"
        provisional = " (provisional)" if each.provisional else ""
        rows.append(f"| {each.id}{provisional} | {each.title} | {len(killed)} | {shown} |")
    return rows


def _by_mutant(matrix: KillMatrix) -> list[str]:
    rows = ["## What kills each mutant", "", "The check that is meant for it; most die of others as well."]
    for kind in sorted({mutant.kind for mutant in matrix.kills}):
        rows += ["", f"### {kind}", "", "| mutant | what is wrong | killed by |", "|---|---|---|"]
        for mutant, ids in matrix.kills.items():
            if mutant.kind == kind:
                rows.append(f"| {mutant.name} | {mutant.wrong} | {_killers(mutant, ids)} |")
    return rows


def _killers(mutant: Mutant, ids: Sequence[str]) -> str:
    """The check that is meant for it, or those that kill it instead."""
    if mutant.killed_by in ids:
        return mutant.killed_by
    return f"**not {mutant.killed_by}**" + (f", but {', '.join(sorted(ids))}" if ids else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where the matrix is complete, 1 where it is not."""
    parser = argparse.ArgumentParser(prog="python -m pmg_conformance.kill_matrix", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the matrix there as Markdown")
    parser.add_argument("--tier", choices=("smoke", "core", "full"), default="core")
    given = parser.parse_args(arguments)
    matrix = kill_matrix(tier=given.tier)
    if given.out is not None:
        write_bytes(given.out, matrix.to_markdown().encode())
    sys.stdout.write(f"{matrix.summary} ({matrix.seconds:.0f} s)\n")
    return 0 if matrix.complete else 1


if __name__ == "__main__":
    sys.exit(main())
