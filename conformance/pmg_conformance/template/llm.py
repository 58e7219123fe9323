"""A language model: text out of text; keywords are parsed from its answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pmg_sdk import LanguageModel
from pmg_sdk.interfaces import Chat

__all__ = ["MyAdapter"]

_COMMON = frozenset(
    {"and", "are", "does", "for", "has", "like", "liked", "see", "the", "they", "user", "what"}
)


class MyAdapter(LanguageModel):
    """Answers with the words of the last turn, the most frequent first."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        return [self._answer(chat[-1]["content"], max_tokens) for chat in prompts]

    def _answer(self, asked: str, max_tokens: int) -> str:
        words = (word for word in re.findall(r"\w{3,}", asked.lower()) if word not in _COMMON)
        said = [word for word, _ in Counter(words).most_common(8)]
        while said and self.count_tokens(", ".join(said)) > max_tokens:
            said.pop()
        return ", ".join(said)
