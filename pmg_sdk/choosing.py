"""Answers from a closed vocabulary, by the likelihoods a language model gives them.

A small model that writes freely drifts to a few favourite words; rating what may be said, and
subtracting what the model would have said of anything, reads far more out of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from pmg_sdk.answers import one_for_each
from pmg_sdk.interfaces import Chat, SupportsChoice
from pmg_sdk.parsing import named_in
from pmg_sdk.scenario import Attribute

__all__ = ["MARGIN", "in_vocabulary", "rate", "rate_unbiased", "rate_vocabulary"]

MARGIN = 0.2
"""How far, in nats, a further entry may lie behind the best and still be chosen."""

_Bias = tuple[float, ...]
_known_bias: dict[int, dict[str, _Bias]] = {}  # by the id of an LLM that is still alive


def rate(prompts: Sequence[Chat], options: Sequence[str], llm: SupportsChoice) -> list[list[float]]:
    """log P(option | prompt) for every option of every prompt, none missing.

    Raises:
        BackendError: the LLM rated more or fewer.
    """
    who = f"the language model {type(llm).__name__}"
    ratings = one_for_each(llm.choose(prompts, options), prompts, who)
    return [one_for_each(of_prompt, options, who) for of_prompt in ratings]


def rate_unbiased(
    prompts: Sequence[Chat], options: Sequence[str], llm: SupportsChoice, *, neutral: Sequence[Chat] = ()
) -> list[list[float]]:
    """`rate`, less what the LLM says of anything: the mean of log P(option | neutral prompt).

    The mean is computed once for every LLM.

    Args:
        neutral: the same prompt about texts of everyday content; none for no bias.

    Raises:
        BackendError: the LLM rated more or fewer.
    """
    bias = _bias(options, llm, neutral)
    return [
        [rating - usual for rating, usual in zip(ratings, bias, strict=True)]
        for ratings in rate(prompts, options, llm)
    ]


def rate_vocabulary(
    prompts: Sequence[Chat],
    attribute: Attribute,
    llm: SupportsChoice,
    *,
    neutral: Sequence[Chat] = (),
) -> list[list[str]]:
    """The best entries of the attribute's vocabulary for every prompt, the best first.

    Score of an entry: the mean over its readings, each as `rate_unbiased` rates it.
    """
    readings = attribute.readings
    options = [attribute.answer.format(word) for words in readings.values() for word in words]
    chosen = []
    for ratings in rate_unbiased(prompts, options, llm, neutral=neutral):
        lifted = iter(ratings)
        scores = {
            keyword: sum(next(lifted) for _ in words) / len(words) for keyword, words in readings.items()
        }
        order = sorted(scores, key=lambda keyword: -scores[keyword])
        near = [keyword for keyword in order if scores[keyword] >= scores[order[0]] - MARGIN]
        chosen.append(near[: attribute.keywords])
    return chosen


def in_vocabulary(text: str, attribute: Attribute, *, every: bool = True) -> list[str]:
    """The entries that a comma-separated text names, in its order.

    Args:
        every: whether all parts must be entries or readings; if one is not, nothing is returned.
    """
    entries = {
        word.casefold(): keyword
        for keyword, words in attribute.readings.items()
        for word in (*words, keyword)
    }
    parts = [part.strip().casefold() for part in text.split(",") if part.strip()]
    found: dict[str, None] = {}
    for part in parts:
        if part in entries:
            found.setdefault(entries[part])
        elif every:
            return []
        else:
            found.update((entries[word], None) for word in entries if named_in(word, [part]))
    return list(found)


def _bias(options: Sequence[str], llm: SupportsChoice, neutral: Sequence[Chat]) -> _Bias:
    if not neutral:
        return (0.0,) * len(options)
    known = _known_for(llm)
    key = repr((options, neutral))
    if key not in known:
        ratings = rate(neutral, options, llm)
        known[key] = tuple(sum(column) / len(column) for column in zip(*ratings, strict=True))
    return known[key]


def _known_for(llm: SupportsChoice) -> dict[str, _Bias]:
    # Not by equality: equal LLMs may hold different weights, and a dataclass may have no hash at all.
    if id(llm) not in _known_bias:
        weakref.finalize(llm, _known_bias.pop, id(llm), None)
    return _known_bias.setdefault(id(llm), {})
