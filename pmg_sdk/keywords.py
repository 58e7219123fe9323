"""k^p and k^t: explicit keywords (paper, section 3.2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmg_sdk.answers import one_for_each
from pmg_sdk.choosing import in_vocabulary, rate, rate_vocabulary
from pmg_sdk.describe import BehaviorSummary
from pmg_sdk.errors import InputError
from pmg_sdk.grounding import candidates, commonest, grounded, rate_candidates
from pmg_sdk.interfaces import Chat, LanguageModel, SupportsChoice, TextEncoder
from pmg_sdk.parsing import MAX_CHARACTERS, named_in, parse_keywords, words_of
from pmg_sdk.prompts import preference_prompts, target_prompt
from pmg_sdk.scenario import Attribute, Scenario

__all__ = ["Keyword", "Keywords", "avoided_keywords", "fit", "preference_keywords", "target_keywords"]

ANSWER_TOKENS = 24


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
    return _read_taste(summary.history, summary.conversation, scenario, llm, seed, "preference")


def avoided_keywords(
    summary: BehaviorSummary, *, scenario: Scenario, llm: LanguageModel, seed: int = 0
) -> tuple[Keywords, tuple[str, ...]]:
    """What the user turned down, and warnings; what they like elsewhere is never among it.

    Raises:
        BackendError, OutOfMemory: the LLM failed.
    """
    found, warnings = _read_taste(summary.disliked, (), scenario, llm, seed, "avoided")
    liked = (*summary.history, *summary.conversation)
    return Keywords(tuple(keyword for keyword in found.items if not named_in(keyword.text, liked))), warnings


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


def _read_taste(
    history: Sequence[str],
    conversation: Sequence[str],
    scenario: Scenario,
    llm: LanguageModel,
    seed: int,
    kind: str,
) -> tuple[Keywords, tuple[str, ...]]:
    texts = (*history, *conversation)
    if not texts:
        return Keywords(), ()
    prompts, left_out = preference_prompts(
        history, conversation, scenario=scenario, llm=llm, max_tokens=ANSWER_TOKENS
    )
    warnings = (
        [f"{left_out} of the oldest texts did not fit the language model's context"] if left_out else []
    )

    taken = _vocabulary_words(scenario)
    answers: dict[str, list[str]] = {}
    asked: list[tuple[Attribute, Chat]] = []
    for attribute, prompt in zip(scenario.attributes, prompts, strict=True):
        if attribute.vocabulary and (attribute.grounded or isinstance(llm, SupportsChoice)):
            answers[attribute.name] = _from_vocabulary(attribute, prompt, texts, llm)
        elif attribute.grounded and history and isinstance(llm, SupportsChoice):
            general = {word.casefold() for word in attribute.too_general}
            named = candidates(history, conversation, question=attribute.question, excluded=taken | general)
            answers[attribute.name] = rate_candidates(named, prompt, attribute, llm)
        else:
            asked.append((attribute, prompt))
    written = _written([prompt for _, prompt in asked], llm, seed)
    for (attribute, _), answer in zip(asked, written, strict=True):
        parsed = parse_keywords(answer, question=attribute.question)
        if attribute.vocabulary:
            answers[attribute.name] = in_vocabulary(", ".join(parsed), attribute, every=False)
            continue
        if attribute.grounded:
            no_answer = taken | {word.casefold() for word in attribute.too_general}
            own = [keyword for keyword in parsed if keyword.casefold() not in no_answer]
            parsed = grounded(own, texts, shown=_example_words(scenario, attribute))
        answers[attribute.name] = parsed

    # A user of whom only a style is known still has a taste; one of whom nothing is known gets common words.
    open_attributes = [attribute for attribute in scenario.attributes if not attribute.vocabulary]
    if open_attributes and not any(answers[attribute.name] for attribute in open_attributes):
        first = open_attributes[0]
        answers[first.name] = commonest(history or conversation, excluded=taken, count=first.keywords)
        warnings.append(
            f"the language model gave no usable {kind} keywords; common words of the history stand in"
        )
    found = [
        Keyword(text, attribute.name)
        for attribute in scenario.attributes
        for text in answers[attribute.name][: attribute.keywords]
    ]
    return Keywords(tuple(found)), tuple(warnings)


def _from_vocabulary(
    attribute: Attribute, prompt: Chat, texts: Sequence[str], llm: LanguageModel
) -> list[str]:
    """The entries that fit best; grounded: those named most often, and the LLM decides between equals."""
    if not attribute.grounded:
        assert isinstance(llm, SupportsChoice)
        return rate_vocabulary([prompt], attribute, llm)[0]
    counts = {
        keyword: max(named_in(word, texts) for word in (keyword, *words))
        for keyword, words in attribute.readings.items()
    }
    named = sorted((keyword for keyword in counts if counts[keyword]), key=lambda keyword: -counts[keyword])
    tied = [keyword for keyword in named if counts[keyword] == counts[named[0]]]
    if len(tied) > 1 and isinstance(llm, SupportsChoice):
        options = [attribute.answer.format(keyword) for keyword in tied]
        ratings = dict(zip(tied, rate([prompt], options, llm)[0], strict=True))
        named = sorted(tied, key=lambda keyword: -ratings[keyword]) + named[len(tied) :]
    return named


def _answer_target(
    prompts: Sequence[Chat], scenario: Scenario, llm: LanguageModel, seed: int
) -> list[list[str]]:
    if not prompts:
        return []
    attribute = scenario.target
    if attribute.vocabulary and isinstance(llm, SupportsChoice):
        neutral = [target_prompt(text, scenario=scenario) for text in attribute.neutral]
        return rate_vocabulary(prompts, attribute, llm, neutral=neutral)
    written = _written(prompts, llm, seed)
    parsed = [parse_keywords(answer, question=attribute.question) for answer in written]
    if attribute.vocabulary:
        parsed = [in_vocabulary(", ".join(keywords), attribute, every=False) for keywords in parsed]
    return [keywords[: attribute.keywords] for keywords in parsed]


def _written(prompts: Sequence[Chat], llm: LanguageModel, seed: int) -> list[str]:
    if not prompts:
        return []
    answers = llm.complete(prompts, max_tokens=ANSWER_TOKENS, seed=seed)
    return one_for_each(answers, prompts, f"the language model {type(llm).__name__}")


def _example_words(scenario: Scenario, attribute: Attribute) -> set[str]:
    """Words of the answers that the examples give for an attribute."""
    return {word for example in scenario.examples for word in words_of(example.answers[attribute.name])}


def _vocabulary_words(scenario: Scenario) -> set[str]:
    """What closed attributes speak for is no answer to an open one."""
    vocabularies: list[Mapping[str, tuple[str, ...]]] = [entry.vocabulary for entry in scenario.attributes]
    return {
        word.casefold()
        for vocabulary in vocabularies
        for keyword, words in vocabulary.items()
        for word in (keyword, *words)
    }


def _plain(text: str, count: int) -> list[str]:
    parsed = parse_keywords(text, limit=count)
    if parsed:
        return parsed
    words = [word for word in words_of(text) if 3 < len(word) <= MAX_CHARACTERS]
    return list(dict.fromkeys(words))[:count]
