"""A taste, attribute by attribute, each answered in the surest way that it and the language model allow.

| attribute        | an LLM that rates answers (`SupportsChoice`)    | an LLM that only writes         |
|------------------|-------------------------------------------------|---------------------------------|
| closed, grounded | the entries named most; it decides among equals | the entries named most          |
| closed           | the entries it rates best                       | the entries it writes           |
| open, grounded   | of what the history names, what it rates best   | what it writes, the named first |
| open             | what it writes                                  | what it writes                  |

"Closed" means with a vocabulary. Messages alone give no candidates to rate; then it writes, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pmg_sdk.choosing import rate_vocabulary
from pmg_sdk.grounding import candidates, commonest, grounded, named_entries, rate_candidates
from pmg_sdk.interfaces import Chat, LanguageModel, SupportsChoice
from pmg_sdk.parsing import words_of
from pmg_sdk.prompts import preference_prompts
from pmg_sdk.scenario import Attribute, Scenario
from pmg_sdk.writing import ANSWER_TOKENS, write_keywords

__all__ = ["read_taste"]

Question = tuple[Attribute, Chat]
Answers = dict[str, list[str]]
"""Keywords by the attribute's name, the best first."""


def read_taste(
    history: Sequence[str],
    conversation: Sequence[str],
    *,
    scenario: Scenario,
    llm: LanguageModel,
    seed: int,
    kind: str,
) -> tuple[Answers, tuple[str, ...]]:
    """The keywords of every attribute, and warnings; nothing at all where there is no text.

    Args:
        history, conversation: short texts of items and messages.
        kind: what the keywords are called in a warning.

    Raises:
        BackendError, OutOfMemory: the LLM failed.
    """
    evidence = _Evidence(tuple(history), tuple(conversation), scenario)
    if not evidence.texts:
        return {}, ()
    prompts, left_out = preference_prompts(
        history, conversation, scenario=scenario, llm=llm, max_tokens=ANSWER_TOKENS
    )
    questions = list(zip(scenario.attributes, prompts, strict=True))
    chosen = _choose(questions, evidence, llm)
    unanswered = [(attribute, prompt) for attribute, prompt in questions if attribute.name not in chosen]
    written = _write(unanswered, evidence, llm, seed)
    common = _common_words({**chosen, **written}, evidence)

    warnings = []
    if left_out:
        warnings.append(f"{left_out} of the oldest texts did not fit the language model's context")
    if common:
        warnings.append(
            f"the language model gave no usable {kind} keywords; common words of the history stand in"
        )
    answers = {**chosen, **written, **common}
    kept = {entry.name: answers[entry.name][: entry.keywords] for entry in scenario.attributes}
    return kept, tuple(warnings)


@dataclass(frozen=True)
class _Evidence:
    """What there is to read a taste from, and what of it is no answer."""

    history: tuple[str, ...]
    conversation: tuple[str, ...]
    scenario: Scenario

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.history, *self.conversation)

    @property
    def spoken_for(self) -> set[str]:
        """Words, casefolded, that closed attributes speak for: they are no answer to an open one."""
        return {
            word.casefold()
            for attribute in self.scenario.attributes
            for keyword, words in attribute.vocabulary.items()
            for word in (keyword, *words)
        }

    def no_answer(self, attribute: Attribute) -> set[str]:
        """Likewise with what is too general for this attribute."""
        return self.spoken_for | {word.casefold() for word in attribute.too_general}

    def shown(self, attribute: Attribute) -> set[str]:
        """Words of the answers that the worked examples give for an attribute."""
        answers = [example.answers[attribute.name] for example in self.scenario.examples]
        return {word for answer in answers for word in words_of(answer)}


def _choose(questions: Sequence[Question], evidence: _Evidence, llm: LanguageModel) -> Answers:
    """Answers from a set that is known before the LLM is asked: a vocabulary, or what the history names."""
    rater = llm if isinstance(llm, SupportsChoice) else None
    answers: Answers = {}
    for attribute, prompt in questions:
        if attribute.vocabulary and attribute.grounded:
            neutral = _neutral_prompts(attribute, evidence.scenario, llm)
            answers[attribute.name] = named_entries(evidence.texts, prompt, attribute, rater, neutral=neutral)
        elif attribute.vocabulary and rater is not None:
            neutral = _neutral_prompts(attribute, evidence.scenario, llm)
            (answers[attribute.name],) = rate_vocabulary([prompt], attribute, rater, neutral=neutral)
        elif attribute.grounded and evidence.history and rater is not None:
            named = candidates(
                evidence.history,
                evidence.conversation,
                question=attribute.question,
                excluded=evidence.no_answer(attribute),
            )
            answers[attribute.name] = rate_candidates(named, prompt, attribute, rater)
    return answers


def _neutral_prompts(attribute: Attribute, scenario: Scenario, llm: LanguageModel) -> list[Chat]:
    """What the LLM is asked of users who have said one text of everyday content each, and nothing else."""
    place = scenario.attributes.index(attribute)
    return [
        preference_prompts((), (text,), scenario=scenario, llm=llm, max_tokens=ANSWER_TOKENS)[0][place]
        for text in attribute.neutral
    ]


def _write(questions: Sequence[Question], evidence: _Evidence, llm: LanguageModel, seed: int) -> Answers:
    """Answers in the LLM's own words; those of a grounded attribute are held against the texts."""
    answers: Answers = {}
    written = write_keywords(questions, llm=llm, seed=seed)
    for (attribute, _), keywords in zip(questions, written, strict=True):
        answers[attribute.name] = keywords
        if attribute.grounded and not attribute.vocabulary:
            no_answer = evidence.no_answer(attribute)
            usable = [keyword for keyword in keywords if keyword.casefold() not in no_answer]
            answers[attribute.name] = grounded(usable, evidence.texts, shown=evidence.shown(attribute))
    return answers


def _common_words(answers: Mapping[str, Sequence[str]], evidence: _Evidence) -> Answers:
    """What stands in for the first open attribute where no open one is answered; else nothing.

    A user of whom only a style is known still has a taste; one of whom nothing is known gets common words.
    """
    unclosed = [attribute for attribute in evidence.scenario.attributes if not attribute.vocabulary]
    if not unclosed or any(answers[attribute.name] for attribute in unclosed):
        return {}
    first = unclosed[0]
    texts = evidence.history or evidence.conversation
    return {first.name: commonest(texts, excluded=evidence.spoken_for, count=first.keywords)}
