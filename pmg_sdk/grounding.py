"""Keywords that the behaviour itself names: candidates for what a user likes, and how often they occur."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from pmg_sdk.choosing import rate, rate_unbiased
from pmg_sdk.interfaces import Chat, SupportsChoice
from pmg_sdk.parsing import named_in, parse_keywords, words_of
from pmg_sdk.scenario import Attribute

__all__ = ["candidates", "commonest", "grounded", "named_entries", "rate_candidates"]

MOST_CANDIDATES = 16
MOST_WORDS = 3

EVIDENCE = 6.0
"""What one e-fold of mentions weighs against one nat of the LLM's rating. Small LLMs favour what they read
last and what is short, by three nats and more; something used twice should outweigh that."""


def candidates(
    history: Sequence[str], conversation: Sequence[str], *, question: str, excluded: Collection[str]
) -> dict[str, int]:
    """What the history names, with the number of texts that do, the most mentioned first.

    Parts between commas are candidates as they stand; a single word is one only where several
    different parts hold it and more texts mention it than any of them ("cat" out of "cat face" and
    "black cat").

    Args:
        excluded: casefolded keywords that other attributes speak for.
    """
    asked = {word for word in words_of(question) if len(word) > 3}
    parts: dict[str, str] = {}
    for text in reversed(history):
        for part in parse_keywords(text):
            if len(part.split()) <= MOST_WORDS and part.casefold() not in excluded:
                parts.setdefault(part.casefold(), part)
    texts = (*history, *conversation)
    counts = {part: named_in(part, texts) for part in parts.values() if not set(words_of(part)) <= asked}
    whole = dict(counts)
    for part in whole:
        for word in words_of(part) if len(part.split()) > 1 else ():
            if len(word) < 3 or word in asked or word in excluded or word in counts:
                continue
            holders = [other for other in whole if word in words_of(other)]
            count = named_in(word, texts)
            if len(holders) > 1 and count > max(whole[other] for other in holders):
                counts[word] = count
    order = sorted(counts, key=lambda part: -counts[part])[:MOST_CANDIDATES]
    return {part: counts[part] for part in order}


def rate_candidates(
    counts: dict[str, int], prompt: Chat, attribute: Attribute, llm: SupportsChoice
) -> list[str]:
    """Candidates by log P(candidate | prompt) + EVIDENCE * log(mentions); none that repeats a better one."""
    if not counts:
        return []
    words = list(counts)
    (ratings,) = rate([prompt], [attribute.answer.format(word) for word in words], llm)
    score = {
        word: rating + EVIDENCE * math.log(counts[word]) for word, rating in zip(words, ratings, strict=True)
    }
    kept: list[str] = []
    for word in sorted(words, key=lambda word: -score[word]):
        own = set(words_of(word))
        if not any(own <= set(words_of(other)) or own >= set(words_of(other)) for other in kept):
            kept.append(word)
    return kept


def named_entries(
    texts: Sequence[str],
    prompt: Chat,
    attribute: Attribute,
    llm: SupportsChoice | None,
    *,
    neutral: Sequence[Chat] = (),
) -> list[str]:
    """The entries of the attribute's vocabulary that texts name, the most mentioned first.

    Args:
        llm: decides between those mentioned most often, where there are several and it can.
        neutral: see `rate_unbiased`.
    """
    counts = {
        keyword: max(named_in(word, texts) for word in (keyword, *words))
        for keyword, words in attribute.readings.items()
    }
    named = sorted((keyword for keyword in counts if counts[keyword]), key=lambda keyword: -counts[keyword])
    tied = [keyword for keyword in named if counts[keyword] == counts[named[0]]]
    if len(tied) < 2 or llm is None:
        return named
    options = [attribute.answer.format(keyword) for keyword in tied]
    (ratings,) = rate_unbiased([prompt], options, llm, neutral=neutral)
    rating = dict(zip(tied, ratings, strict=True))
    return sorted(tied, key=lambda keyword: -rating[keyword]) + named[len(tied) :]


def grounded(keywords: Sequence[str], texts: Sequence[str], *, shown: Collection[str]) -> list[str]:
    """Keywords of the LLM that the texts name, the most mentioned first; without any, those not copied.

    Args:
        shown: words of the worked examples' answers, which weak models repeat.
    """
    counts = {keyword: named_in(keyword, texts) for keyword in keywords}
    named = sorted((keyword for keyword in keywords if counts[keyword]), key=lambda keyword: -counts[keyword])
    return named or [keyword for keyword in keywords if not set(shown) & set(words_of(keyword))]


def commonest(texts: Sequence[str], *, excluded: Collection[str], count: int) -> list[str]:
    """The most mentioned parts or words of texts, whatever they are; the newest first among equals."""
    mentions: dict[str, int] = {}
    for text in reversed(texts):
        pieces = parse_keywords(text) or [word for word in words_of(text) if len(word) > 3]
        for piece in dict.fromkeys(pieces):
            if piece.casefold() not in excluded:
                mentions[piece] = mentions.get(piece, 0) + 1
    return sorted(mentions, key=lambda piece: -mentions[piece])[:count]
