"""Keywords that a language model writes, where it cannot choose among given ones."""

from __future__ import annotations

from collections.abc import Sequence

from pmg_sdk.answers import one_for_each
from pmg_sdk.choosing import in_vocabulary
from pmg_sdk.interfaces import Chat, LanguageModel
from pmg_sdk.parsing import parse_keywords
from pmg_sdk.scenario import Attribute

__all__ = ["ANSWER_TOKENS", "write_keywords"]

ANSWER_TOKENS = 24


def write_keywords(
    questions: Sequence[tuple[Attribute, Chat]], *, llm: LanguageModel, seed: int
) -> list[list[str]]:
    """The usable keywords of one answer for every attribute and its prompt, all asked in one batch.

    What is written to an attribute with a vocabulary is mapped onto it, word by word where it must be.

    Raises:
        BackendError, OutOfMemory: the LLM failed.
    """
    if not questions:
        return []
    prompts = [prompt for _, prompt in questions]
    answers = one_for_each(
        llm.complete(prompts, max_tokens=ANSWER_TOKENS, seed=seed),
        prompts,
        f"the language model {type(llm).__name__}",
    )
    return [_usable(answer, attribute) for answer, (attribute, _) in zip(answers, questions, strict=True)]


def _usable(answer: str, attribute: Attribute) -> list[str]:
    keywords = parse_keywords(answer, question=attribute.question)
    if attribute.vocabulary:
        return in_vocabulary(", ".join(keywords), attribute, every=False)
    return keywords
