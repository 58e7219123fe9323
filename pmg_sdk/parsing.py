"""Keywords out of what a language model wrote; nothing it writes is trusted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from pmg_sdk.prompts import plain_line

__all__ = ["MAX_CHARACTERS", "MAX_WORDS", "named_in", "parse_keywords", "words_of"]

MAX_CHARACTERS = 40
MAX_WORDS = 6

_SEPARATORS = re.compile(
    r"[,;|\u3001\uff0c\uff1b\u060c\u2022\u00b7\u25cf\u25aa]|\s[-*\u2013\u2014]\s|^[-*+]\s", re.MULTILINE
)
_NUMBERING = re.compile(r"^\s*(?:\(?\d{1,3}[.):]|[a-z]\)|[-*+#>]+)\s+", re.IGNORECASE)
_LABEL = re.compile(
    r"^(?:keywords?|answers?|style|subject|emotion|the answer is|a|an|the)\s*:\s*", re.IGNORECASE
)
_QUOTES = (
    "\"'`*_~()[]{}<>\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u300c\u300d\u300e\u300f "
)
_ADDRESS = re.compile(
    r"(?:https?|ftp|file|javascript|data):|www\.|://|\b[\w.-]+\.(?:com|net|org|io|ru|cn)\b", re.I
)
_REFUSALS = re.compile(
    r"\b(?:as an ai|i'?m sorry|i am sorry|i cannot|i can'?t|i don'?t know|i do not know|unable to|not sure"
    r"|language model|no (?:preference|information|answer)"
    r"|not (?:specified|mentioned|provided|available)|unknown|n/a|none)\b",
    re.IGNORECASE,
)


def parse_keywords(answer: str, *, question: str = "", limit: int = 16) -> list[str]:
    """The usable keywords of an answer's first line, in order, without repetition.

    Dropped are refusals, addresses, sentences (more than `MAX_WORDS` words), keywords longer than
    `MAX_CHARACTERS`, and repetitions of the question. Letters of every script and emoji are kept.

    Args:
        question: what was asked.
        limit: the most keywords returned.
    """
    lines = answer.strip().splitlines()
    listed = [line for line in lines if _NUMBERING.match(line)]
    text = "\n".join(listed) if len(listed) > 1 and listed[0] == lines[0] else (lines[0] if lines else "")
    if _REFUSALS.search(text) and len(text.split()) > MAX_WORDS:
        return []
    asked = set(words_of(question))
    kept: dict[str, str] = {}
    for line in text.split("\n"):
        for piece in _SEPARATORS.split(_LABEL.sub("", _NUMBERING.sub("", line))):
            keyword = _cleaned(piece)
            if keyword and not _is_nonsense(keyword, asked):
                kept.setdefault(keyword.casefold(), keyword)
    return list(kept.values())[:limit]


def words_of(text: str) -> list[str]:
    """The words of a text, folded for comparison: runs of letters, digits and marks of any script."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"\w+(?:['\u2019]\w+)*", folded)


def named_in(keyword: str, texts: Iterable[str]) -> int:
    """How many of the texts name the keyword: all its words, in any order, singular or plural."""
    wanted = {_stem(word) for word in words_of(keyword)}
    if not wanted:  # emoji have no words
        return sum(keyword in text for text in texts)
    return sum(wanted <= {_stem(word) for word in words_of(text)} for text in texts)


def _stem(word: str) -> str:
    """Without a plural's ending; "cats" and "cat", "faces" and "face" become one."""
    if len(word) > 4 and word.endswith("es") and word[-3] in "sxzh":
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _cleaned(piece: str) -> str:
    keyword = plain_line(_NUMBERING.sub("", piece)).strip(_QUOTES + ".!?:;,=").strip()
    keyword = re.sub(r"^(?:and|or)\s+", "", keyword, flags=re.IGNORECASE)
    return keyword.strip(_QUOTES)


def _is_nonsense(keyword: str, asked: Sequence[str] | set[str]) -> bool:
    words = words_of(keyword)
    readable = bool(words) or any(unicodedata.category(char).startswith("S") for char in keyword)
    return (
        not readable
        or len(keyword) > MAX_CHARACTERS
        or len(keyword.split()) > MAX_WORDS
        or (all(word.isdigit() for word in words) and bool(words))
        or bool(_ADDRESS.search(keyword))
        or bool(_REFUSALS.search(keyword))
        or (len(words) > 2 and all(word in asked for word in words))
    )
