"""k^p and k^t: explicit keywords (paper, section 3.2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmg_sdk.answers import one_for_each
from pmg_sdk.choosing import in_vocabulary, rate_vocabulary
from pmg_sdk.describe import BehaviorSummary
from pmg_sdk.errors import InputError
from pmg_sdk.interfaces import Chat, LanguageModel, SupportsChoice, TextEncoder
from pmg_sdk.parsing import MAX_CHARACTERS, named_in, parse_keywords, words_of
from pmg_sdk.prompts import target_prompt
from pmg_sdk.scenario import Scenario
from pmg_sdk.taste import read_taste
from pmg_sdk.writing import write_keywords

__all__ = ["Keyword", "Keywords", "avoided_keywords", "fit", "preference_keywords", "target_keywords"]


@dataclass(frozen=True)
class Keyword:
    """One keyword and the attribute it answers."""

    text: str
    attribute: str


@dataclass(frozen=True)
class Keywords:
    """Keywords, the most important first, none twice (upper and lower case are one)."""

    items: tuple[Keyword, ...] = ()

    def __post_init__(self) -> None:
        first: dict[str, Keyword] = {}
        for keyword in self.items:
            first.setdefault(keyword.text.casefold(), keyword)
        object.__setattr__(self, "items", tuple(first.values()))

    def __bool__(self) -> bool:
        return bool(self.items)

    @property
    def texts(self) -> tuple[str, ...]:
        """The keywords alone."""
        return tuple(keyword.text for keyword in self.items)

    @property
    def text(self) -> str:
        """As one comma-separated text, the form a text encoder reads."""
        return ", ".join(self.texts)

    def merge(self, other: Keywords) -> Keywords:
        """These, then what `other` adds."""
        return Keywords((*self.items, *other.items))

    def to_json(self) -> list[dict[str, str]]:
        """Plain values, in order."""
        return [{"text": keyword.text, "attribute": keyword.attribute} for keyword in self.items]

    @classmethod
    def from_json(cls, values: Any) -> Keywords:
        """The inverse of `to_json`.

        Raises:
            InputError: the values have another form.
        """
        try:
            return cls(tuple(Keyword(str(entry["text"]), str(entry["attribute"])) for entry in values))
        except (TypeError, KeyError) as error:
            raise InputError(
                'keywords are a list like [{"text": "cat", "attribute": "subject"}]; '
                f"got {type(values).__name__} ({error})"
            ) from error


def preference_keywords(
    summary: BehaviorSummary, *, scenario: Scenario, llm: LanguageModel, seed: int = 0
) -> tuple[Keywords, tuple[str, ...]]:
    """k^p: what the user likes, attribute by attribute, and warnings.

    Where the LLM gives nothing usable, the commonest words of the history stand in.

    Raises:
        BackendError, OutOfMemory: the LLM failed.
    """
    answers, warnings = read_taste(
        summary.history, summary.conversation, scenario=scenario, llm=llm, seed=seed, kind="preference"
    )
    return _keywords_of(answers), warnings


def avoided_keywords(
    summary: BehaviorSummary, *, scenario: Scenario, llm: LanguageModel, seed: int = 0
) -> tuple[Keywords, tuple[str, ...]]:
    """What the user turned down, and warnings; what they like elsewhere is never among it.

    Raises:
        BackendError, OutOfMemory: the LLM failed.
    """
    answers, warnings = read_taste(
        summary.disliked, (), scenario=scenario, llm=llm, seed=seed, kind="avoided"
    )
    liked = (*summary.history, *summary.conversation)
    found = _keywords_of(answers).items
    return Keywords(tuple(keyword for keyword in found if not named_in(keyword.text, liked))), warnings


def target_keywords(
    descriptions: Sequence[str], *, scenario: Scenario, llm: LanguageModel, seed: int = 0
) -> tuple[Keywords, tuple[str, ...]]:
    """k^t of one target or several, from one overall attribute, and warnings.

    Where the LLM gives nothing usable, the text itself stands in, else the scenario's neutral target.

    Raises:
        BackendError, OutOfMemory: the LLM failed.
    """
    attribute = scenario.target
    described = [text for text in descriptions if text.strip()]
    found: list[list[str]] = [in_vocabulary(text, attribute) for text in described]
    unread = [index for index, keywords in enumerate(found) if not keywords]
    prompts = [target_prompt(described[index], scenario=scenario) for index in unread]
    answers = _answer_target(prompts, scenario, llm, seed)
    for index, keywords in zip(unread, answers, strict=True):
        found[index] = keywords
    warnings = []
    for index, keywords in enumerate(found):
        if not keywords:
            found[index] = [] if attribute.vocabulary else _plain(described[index], attribute.keywords)
            if found[index]:
                warnings.append("the language model read no keywords from a target; its own words stand in")
    together = [Keyword(text, attribute.name) for keywords in found for text in keywords]
    if not together and scenario.neutral_target:
        warnings.append("no keywords were read from the target; the scenario's neutral ones stand in")
        together = [Keyword(text, attribute.name) for text in scenario.neutral_target]
    return Keywords(tuple(together)), tuple(warnings)


def fit(keywords: Keywords, encoder: TextEncoder) -> tuple[Keywords, Keywords]:
    """(kept, dropped): by priority, as many as the text encoder reads at once.

    A keyword that does not fit is dropped; a shorter one behind it may still fit.
    """
    kept: list[Keyword] = []
    dropped: list[Keyword] = []
    if keywords and _fits(keywords.text, encoder):
        return keywords, Keywords()
    for keyword in keywords.items:
        text = Keywords((*kept, keyword)).text
        (kept if _fits(text, encoder) else dropped).append(keyword)
    return Keywords(tuple(kept)), Keywords(tuple(dropped))


def _fits(text: str, encoder: TextEncoder) -> bool:
    counts = one_for_each(encoder.count_tokens([text]), [text], f"the text encoder {type(encoder).__name__}")
    return counts[0] <= encoder.max_tokens


def _keywords_of(answers: Mapping[str, Sequence[str]]) -> Keywords:
    return Keywords(tuple(Keyword(text, attribute) for attribute, texts in answers.items() for text in texts))


def _answer_target(
    prompts: Sequence[Chat], scenario: Scenario, llm: LanguageModel, seed: int
) -> list[list[str]]:
    if not prompts:
        return []
    attribute = scenario.target
    if attribute.vocabulary and isinstance(llm, SupportsChoice):
        neutral = [target_prompt(text, scenario=scenario) for text in attribute.neutral]
        return rate_vocabulary(prompts, attribute, llm, neutral=neutral)
    written = write_keywords([(attribute, prompt) for prompt in prompts], llm=llm, seed=seed)
    return [keywords[: attribute.keywords] for keywords in written]


def _plain(text: str, count: int) -> list[str]:
    parsed = parse_keywords(text, limit=count)
    if parsed:
        return parsed
    words = [word for word in words_of(text) if 3 < len(word) <= MAX_CHARACTERS]
    return list(dict.fromkeys(words))[:count]
