"""Memory is given back."""

from __future__ import annotations

import gc
import sys

from pmg_conformance.check import check
from pmg_conformance.failure import NotRun, expect
from pmg_conformance.subject import Subject

ROUNDS = 10
ALLOWED = 24 * 2**20


@check("PMG-ANY-040", "any", "core", advice="Bound every cache; keep no reference to finished work.")
def memory_does_not_grow(subject: Subject) -> None:
    """Doing the same again and again does not take more and more memory.

    A service runs for weeks.
    """
    for work in subject.works:
        items = work.items[:2]
        for _ in range(3):
            work.do(subject.adapter, items)
        gc.collect()
        before = _resident()
        for _ in range(ROUNDS):
            work.do(subject.adapter, items)
        gc.collect()
        grown = _resident() - before
        expect(
            grown <= ALLOWED,
            f"{work.name}: at most {ALLOWED >> 20} MiB more after {ROUNDS} rounds of the same",
            f"{grown >> 20} MiB",
            "a cache without a bound, or results kept",
        )


def _resident() -> int:
    """Bytes of this process in memory."""
    if not sys.platform.startswith("linux"):
        raise NotRun("resident memory is read on Linux only")
    import os

    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
