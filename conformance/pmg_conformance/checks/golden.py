"""Answers are still those of the golden file."""

from __future__ import annotations

from pmg_conformance.check import check
from pmg_conformance.subject import Subject


@check(
    "PMG-ANY-026",
    "any",
    "core",
    advice="Find out what changed; where that is meant, write the file anew with `pmg conformance record`.",
)
def answers_are_those_of_the_golden_file(subject: Subject) -> None:
    """It answers what it answered when its golden file was recorded.

    An upgrade of a library or a converted checkpoint can change every answer, and break no other rule.
    """
    subject.need("golden", "give the file that `pmg conformance record` wrote (--golden)").compare(subject)
