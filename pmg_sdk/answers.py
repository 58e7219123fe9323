"""One answer for each question: what every batched method of an adapter promises."""

from __future__ import annotations

from collections.abc import Sized
from typing import TypeVar

from pmg_sdk.errors import BackendError

__all__ = ["one_for_each"]

Answers = TypeVar("Answers", bound=Sized)


def one_for_each(answers: Answers, questions: Sized, who: str) -> Answers:
    """The answers, if they are as many as the questions: a missing one would shift all behind it.

    Args:
        who: names the adapter in the error, by role and class: "the captioner Blip2Captioner".

    Raises:
        BackendError: they are more or fewer.
    """
    if len(answers) != len(questions):
        raise BackendError(
            f"as many answers as questions ({len(questions)}) were expected; {who} gave {len(answers)}. "
            "This is a fault of the adapter: update it or choose another."
        )
    return answers
