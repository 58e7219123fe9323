"""After a failure the next request works."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pmg_conformance.failure import ConformanceFailure, expect
from pmg_conformance.faults import out_of_memory
from pmg_conformance.subject import Subject
from pmg_conformance.work import Work
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import OutOfMemory

__all__ = ["fails_and_recovers", "memory_is_full", "without_numbers"]


def fails_and_recovers(
    subject: Subject, work: Work, wrong: Callable[[], object], *errors: type[Exception]
) -> None:
    """`wrong` ends in one of `errors`, and `work` gives the same answer afterwards as before."""
    (before,) = work.do(subject.adapter, work.items[:1])
    try:
        wrong()
    except errors:
        pass
    else:
        raise ConformanceFailure(" or ".join(error.__name__ for error in errors), "an answer")
    (after,) = work.do(subject.adapter, work.items[:1])
    expect(work.same(before, after), "the same answer after the failure", "another")


def memory_is_full(subject: Subject, work: Work) -> None:
    """`work` ends in OutOfMemory where nothing fits, and goes on as before where it does again."""

    def on_a_full_device() -> None:
        with out_of_memory(subject.adapter):
            work.do(subject.adapter, work.items[:1])

    fails_and_recovers(subject, work, on_a_full_device, OutOfMemory)


def without_numbers(conditioning: Conditioning) -> Conditioning:
    """One of the same shape, all NaN."""
    pooled = None if conditioning.pooled is None else np.full_like(conditioning.pooled, np.nan)
    return Conditioning(np.full_like(conditioning.embeds, np.nan), conditioning.space, pooled)
