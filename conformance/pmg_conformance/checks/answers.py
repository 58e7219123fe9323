"""Batches in, answers out: how many, in which order, and each on its own merits."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.contents import contents
from pmg_conformance.failure import expect
from pmg_conformance.subject import Subject
from pmg_conformance.work import Work
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Media


@check("PMG-ANY-010", "any", "smoke", advice="Return a list as long as the input.")
def one_answer_for_every_item(subject: Subject) -> None:
    """There is one answer for every item.

    The pipeline pairs answers with what it asked by their place.
    """
    for work in subject.works:
        answers = work.do(subject.adapter, work.items)
        expect(len(answers) == len(work.items), f"{len(work.items)} answers of {work.name}", len(answers))


@check("PMG-ANY-011", "any", "smoke", advice="Return early when there is nothing to do.")
def no_items_no_answers(subject: Subject) -> None:
    """No items give no answers, and no error.

    A user without a history, or a batch of which nothing is left, is no fault.
    """
    for work in subject.works:
        answers = work.do(subject.adapter, [])
        expect(len(answers) == 0, f"no answers of {work.name}", len(answers))


@check("PMG-ANY-012", "any", "smoke", advice="Make the answer depend on its item.")
def different_items_differ(subject: Subject) -> None:
    """Different items do not all get the same answer.

    An adapter that answers the same to everything passes most other checks.
    """
    for work in subject.works:
        answers = work.do(subject.adapter, work.items)
        distinct = any(not work.same(answers[0], other) for other in answers[1:])
        expect(distinct, f"{work.name}: answers that depend on the item", "the same answer for all")


@check("PMG-ANY-013", "any", "core", advice="Sort answers back into the order of the input.")
def answers_come_in_the_order_of_the_items(subject: Subject) -> None:
    """Answers come in the order of the items.

    A batch that is sorted by length, for example, must be sorted back: else one user gets another's answer.
    """
    for work in subject.works:
        forth = list(work.do(subject.adapter, work.items))
        back = list(work.do(subject.adapter, work.items[::-1]))[::-1]
        wrong = [n for n, (a, b) in enumerate(zip(forth, back, strict=True)) if not work.same(a, b)]
        expect(
            not wrong,
            f"{work.name}: reversed items to give reversed answers",
            f"others at places {wrong} (distance {_worst(work, forth, back):.3g})",
            "answers are not in the order of the items, or depend on their place in the batch",
        )


@check("PMG-ANY-014", "any", "core", advice="Mask padding; let no statistic run over the batch.")
def alone_is_as_in_a_batch(subject: Subject) -> None:
    """An item gets the same answer alone as in a batch.

    Batch sizes depend on memory and load. What a user gets must not.
    """
    for work in subject.works:
        together = list(work.do(subject.adapter, work.items))
        alone = [work.do(subject.adapter, [item])[0] for item in work.items]
        worst = _worst(work, together, alone)
        expect(
            worst <= work.tolerance,
            f"{work.name}: a distance of at most {work.tolerance:g} between alone and batch",
            f"{worst:.3g}",
            "padding is not masked, or one random generator serves the whole batch",
        )


@check("PMG-ANY-015", "any", "smoke", advice="Copy what has to be changed.")
def what_is_handed_in_stays_as_it_was(subject: Subject) -> None:
    """What is handed in stays as it was.

    One conditioning, text or picture serves many candidates.
    """
    for work in subject.works:
        items = list(work.items)
        before = [_frozen(item) for item in items]
        work.do(subject.adapter, items)
        changed = [n for n, item in enumerate(items) if _frozen(item) != before[n]]
        expect(
            len(items) == len(before) and not changed,
            f"{work.name} to leave its input alone",
            f"items {changed} changed",
        )


@check("PMG-ANY-016", "any", "core", advice="Return new arrays, not views of a buffer that is used again.")
def answers_stay_as_they_are(subject: Subject) -> None:
    """An answer stays as it is when the adapter is used again.

    Answers are kept: a preference is saved, candidates are compared after the last was made.
    """
    for work in subject.works:
        if work.exact:
            continue  # text cannot be overwritten
        first = list(work.do(subject.adapter, work.items[:1]))
        kept = copy.deepcopy(first)
        work.do(subject.adapter, work.items[1:])
        expect(
            work.distance(first[0], kept[0]) == 0,
            f"{work.name}: an answer that stays as it is",
            "one that a later call changed",
            "a buffer is used again",
        )


def _worst(work: Work, some: Sequence[Any], others: Sequence[Any]) -> float:
    return max(work.distance(a, b) for a, b in zip(some, others, strict=True))


def _frozen(item: Any) -> Any:
    """A comparable copy of everything in an item."""
    if isinstance(item, GenerationRequest):
        return [item.seed, item.text, _frozen(item.conditioning), _frozen(item.negative)]
    if isinstance(item, Conditioning):
        return [_frozen(item.embeds), _frozen(item.pooled)]
    if isinstance(item, np.ndarray):
        return item.tobytes()
    if isinstance(item, tuple):
        return [_frozen(part) for part in item]
    if isinstance(item, Media):
        return contents(item)
    return copy.deepcopy(item)
