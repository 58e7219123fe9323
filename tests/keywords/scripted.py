"""Language models that answer what a test wants to see handled, and keep what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pmg_sdk.interfaces import Chat, LanguageModel

__all__ = ["RatingModel", "ScriptedModel"]


class ScriptedModel(LanguageModel):
    """Answers by a function of the last user turn; `asked` holds every batch of prompts."""

    def __init__(self, answer: str | Callable[[str], str] = "", *, context: int = 8192) -> None:
        self._answer = answer if callable(answer) else lambda _: answer
        self._context = context
        self.asked: list[list[Chat]] = []

    @property
    def context_tokens(self) -> int:
        return self._context

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        self.asked.append(list(prompts))
        return [self._answer(chat[-1]["content"]) for chat in prompts]


class RatingModel(ScriptedModel):
    """Also rates options, by a function of the last user turn and the option."""

    def __init__(self, rate: Callable[[str, str], float], answer: str | Callable[[str], str] = "") -> None:
        super().__init__(answer)
        self._rate = rate
        self.rated: list[list[Chat]] = []

    def choose(self, prompts: Sequence[Chat], options: Sequence[str]) -> list[list[float]]:
        self.rated.append(list(prompts))
        return [[self._rate(chat[-1]["content"], option) for option in options] for chat in prompts]
