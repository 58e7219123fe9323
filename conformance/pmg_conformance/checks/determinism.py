"""The same input gives the same answer: again, in another instance, in another process, in threads."""

from __future__ import annotations

import hashlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.contents import contents
from pmg_conformance.failure import NotRun, expect
from pmg_conformance.process import elsewhere
from pmg_conformance.subject import Subject
from pmg_conformance.work import Work, as_numbers
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.media import Media


@check("PMG-ANY-020", "any", "smoke", advice="Seed every source of randomness from the request.")
def the_same_again_is_the_same(subject: Subject) -> None:
    """The same item twice gives the same answer.

    Results are replayed from their record, and cached by what they were made from.
    """
    for work in subject.works:
        (first,), (second,) = (work.do(subject.adapter, work.items[:1]) for _ in range(2))
        expect(
            work.same(first, second),
            f"{work.name}: the same answer twice",
            f"a distance of {work.distance(first, second):.3g}",
            "noise that is not seeded by the request, or dropout left on",
        )


@check("PMG-ANY-021", "any", "core", advice="Keep nothing of one call for the next that changes its answer.")
def earlier_work_leaves_no_trace(subject: Subject) -> None:
    """What was done before does not change an answer.

    Otherwise one user's taste leaks into the next one's picture.
    """
    for work in subject.works:
        made = subject.adapter
        work.do(made, work.items[:1])  # else the trace of other checks may be that of the work below
        (before,) = work.do(made, work.items[:1])
        for _ in range(2):
            work.do(made, work.items[1:])
        (after,) = work.do(made, work.items[:1])
        expect(
            work.same(before, after),
            f"{work.name}: the same answer after other work",
            f"a distance of {work.distance(before, after):.3g}",
            "state is kept between calls",
        )


@check("PMG-ANY-022", "any", "core", advice="Let nothing random or global enter when it is made.")
def another_instance_is_the_same(subject: Subject) -> None:
    """Another instance with the same options gives the same answers.

    Services run several instances; all must agree.
    """
    made = subject.fresh()
    if made is subject.adapter:
        raise NotRun("give a class or a function that makes adapters, not one that is made")
    for work in subject.works:
        (one,), (other,) = work.do(subject.adapter, work.items[:1]), work.do(made, work.items[:1])
        expect(
            work.same(one, other),
            f"{work.name}: the same answer from two instances",
            f"a distance of {work.distance(one, other):.3g}",
            "weights are initialised at random, or missing in the model folder",
        )


@check("PMG-ANY-023", "any", "core", advice="Use a stable hash (hashlib), never hash() of text.")
def another_process_is_the_same(subject: Subject) -> None:
    """A new process gives the same answers.

    Replays and restarts happen in new processes; Python's own hash of text, for one, differs there.
    """
    for work, there in zip(subject.works, elsewhere(subject, all_answers), strict=True):
        here = list(work.do(subject.adapter, work.items))
        worst = max(work.distance(one, other) for one, other in zip(here, there, strict=True))
        expect(
            worst <= work.tolerance,
            f"{work.name}: the same answers in a new process",
            f"a distance of {worst:.3g}",
            "hash() of text, or time, as a seed",
        )


@check(
    "PMG-ANY-024", "any", "core", requires="threads", advice="Keep state in local variables, or take a lock."
)
def threads_get_the_same(subject: Subject) -> None:
    """Threads that use it at once get the same answers as one after another.

    A web service calls from many threads; an adapter that claims "threads" is called so.
    """
    for work in subject.works:
        alone = [work.do(subject.adapter, [item])[0] for item in work.items]
        with ThreadPoolExecutor(8) as pool:
            for _ in range(6):
                asked = [item for item in work.items for _ in range(2)]
                batches = pool.map(work.do, itertools.repeat(subject.adapter), [[item] for item in asked])
                answers = [answer for (answer,) in batches]
                wrong = [n for n, answer in enumerate(answers) if not work.same(answer, alone[n // 2])]
                expect(not wrong, f"{work.name}: the same answers in threads", f"{len(wrong)} others")


@check(
    "PMG-ANY-025",
    "any",
    "core",
    requires="exact",
    advice='Compute in one order and precision whatever the batch, or do not claim "exact".',
)
def the_same_is_equal_to_the_last_bit(subject: Subject) -> None:
    """Again, in another instance, in a batch and in a new process, an answer is equal to the last bit.

    Caches and replays of what claims "exact" compare bytes; the others' are equal within tolerances only.
    """
    instance = subject.fresh()
    for work in subject.works:
        alone = [_bits(work.do(subject.adapter, [item])[0]) for item in work.items]
        answers = {
            "the second time": [work.do(subject.adapter, [item])[0] for item in work.items],
            "from another instance": [work.do(instance, [item])[0] for item in work.items],
            "in a batch": work.do(subject.adapter, work.items),
        }
        for when, others in answers.items():
            wrong = [n for n, other in enumerate(others) if _bits(other) != alone[n]]
            expect(
                not wrong,
                f"{work.name}: answers equal to the last bit {when}",
                f"others at places {wrong}",
                "rounding that depends on batch, time or order of sums",
            )
    expect(
        exact_digest(subject) == elsewhere(subject, exact_digest),
        "answers equal to the last bit in a new process",
        "others",
        "an order that hash() decides, such as that of a set",
    )


def all_answers(subject: Subject) -> list[list[Any]]:
    """What every work answers to its items."""
    return [list(work.do(subject.adapter, work.items)) for work in subject.works]


def answers_digest(subject: Subject) -> str:
    """A hash of all answers, coarse enough to be equal on one machine and another run."""
    digest = hashlib.sha256()
    for work in subject.works:
        for answer in work.do(subject.adapter, work.items):
            digest.update(_coarse(work, answer))
    return digest.hexdigest()


def exact_digest(subject: Subject) -> str:
    """A hash of every bit of all answers."""
    digest = hashlib.sha256()
    for work in subject.works:
        for answer in work.do(subject.adapter, work.items):
            digest.update(_bits(answer))
    return digest.hexdigest()


def _bits(answer: object) -> bytes:
    """All of an answer: of arrays type, shape and bytes."""
    if isinstance(answer, Conditioning):
        pooled = b"" if answer.pooled is None else _bits(answer.pooled)
        return b"|".join([answer.space.encode(), _bits(answer.embeds), pooled])
    if isinstance(answer, Media):
        return contents(answer)
    if isinstance(answer, str):
        return answer.encode("utf-8", "surrogatepass")
    array = np.asarray(answer)
    return f"{array.dtype.str}{array.shape}".encode() + array.tobytes()


def _coarse(work: Work, answer: object) -> bytes:
    if work.exact:
        return str(answer).encode()
    numbers = as_numbers(answer)
    blocks = [block.mean() for block in np.array_split(numbers.ravel(), min(16, numbers.size))]
    scale = max(float(np.abs(numbers).max()), 1e-6)
    return b" ".join(f"{value / scale:.1f}".replace("-0.0", "0.0").encode() for value in blocks)
