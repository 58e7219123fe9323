"""Language models that are wrong."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from typing import Any

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceLanguageModel
from pmg_sdk.errors import BackendError
from pmg_sdk.interfaces import Chat


@mutant("llm", "PMG-ANY-004", declared=frozenset({"threads"}))
class HidesItsChoice(ReferenceLanguageModel):
    """Can rate answers and does not say so."""


@mutant("llm", "PMG-ANY-005")
class SwallowsOptions(ReferenceLanguageModel):
    """Takes any option, and uses none."""

    def __init__(self, **options: Any) -> None:
        super().__init__()


@mutant("llm", "PMG-ANY-011")
class NeedsAPrompt(ReferenceLanguageModel):
    """Pads to the longest of no prompts."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        max(len(chat) for chat in prompts)
        return super().complete(prompts, max_tokens=max_tokens, seed=seed)


@mutant("llm", "PMG-ANY-013")
class SortsByLength(ReferenceLanguageModel):
    """Batches by length and forgets to sort back."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        by_length = sorted(prompts, key=lambda chat: len(chat[-1]["content"]))
        return super().complete(by_length, max_tokens=max_tokens, seed=seed)


@mutant("llm", "PMG-ANY-014")
class ReadsTheNeighbour(ReferenceLanguageModel):
    """Lets a prompt see the one before it in the batch, as a wrong attention mask does."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        answers = super().complete(prompts, max_tokens=max_tokens, seed=seed)
        before = ["", *(answer.split(", ")[0] for answer in answers[:-1])]
        return [f"{answer}, {seen}".strip(", ") for answer, seen in zip(answers, before, strict=True)]


@mutant("llm", "PMG-ANY-020")
class Samples(ReferenceLanguageModel):
    """Samples without a seed."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        answers = super().complete(prompts, max_tokens=max_tokens, seed=seed)
        return [f"{answer} {random.random()}" for answer in answers]


@mutant("llm", "PMG-ANY-021")
class GoesOnTalking(ReferenceLanguageModel):
    """Keeps the conversation of one user for the next."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        before, self._said = self._said, "".join(chat[-1]["content"] for chat in prompts)
        turns = [[{**chat[-1], "content": f"{chat[-1]['content']} {before}"}] for chat in prompts]
        return super().complete(turns, max_tokens=max_tokens, seed=seed)  # type: ignore[arg-type]


@mutant("llm", "PMG-ANY-024")
class SharesItsPrompt(ReferenceLanguageModel):
    """Claims to be safe in threads, and keeps the prompts of a call in the instance."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        self._prompts = prompts
        time.sleep(0.002)
        return super().complete(self._prompts, max_tokens=max_tokens, seed=seed)


@mutant("llm", "PMG-ANY-026", before=ReferenceLanguageModel)
class AnswersInCapitals(ReferenceLanguageModel):
    """Writes capitals, as it did not when its golden file was recorded."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        answers = super().complete(prompts, max_tokens=max_tokens, seed=seed)
        return [text.upper() for text in answers]


@mutant("llm", "PMG-ANY-030")
class PrintsPrompts(ReferenceLanguageModel):
    """Writes what it is asked to stderr."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        for chat in prompts:
            sys.stderr.write(f"{chat[-1]['content']}\n")
        return super().complete(prompts, max_tokens=max_tokens, seed=seed)


@mutant("llm", "PMG-LLM-001")
class RepeatsThePrompt(ReferenceLanguageModel):
    """Decodes the prompt together with the answer."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        answers = super().complete(prompts, max_tokens=max_tokens, seed=seed)
        return [f"{chat[-1]['content']} {answer}" for chat, answer in zip(prompts, answers, strict=True)]


@mutant("llm", "PMG-LLM-001")
class KeepsSpecialTokens(ReferenceLanguageModel):
    """Ends answers with its end-of-turn token."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        return [f"{text}<|im_end|>" for text in super().complete(prompts, max_tokens=max_tokens, seed=seed)]


@mutant("llm", "PMG-LLM-002")
class DoesNotStop(ReferenceLanguageModel):
    """Ignores `max_tokens`."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        return [", ".join([text] * 8) for text in super().complete(prompts, seed=seed)]


@mutant("llm", "PMG-LLM-003")
class CountsNothing(ReferenceLanguageModel):
    """Counts every text as one token."""

    def count_tokens(self, text: str) -> int:
        return 1


@mutant("llm", "PMG-LLM-003")
class HasNoContext(ReferenceLanguageModel):
    """States a context that holds no prompt."""

    @property
    def context_tokens(self) -> int:
        return 0


@mutant("llm", "PMG-LLM-004")
class SpeaksLatin(ReferenceLanguageModel):
    """Refuses every script but one."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        for chat in prompts:
            chat[-1]["content"].encode("latin-1")
        return super().complete(prompts, max_tokens=max_tokens, seed=seed)


@mutant("llm", "PMG-LLM-005")
class OverflowsItsContext(ReferenceLanguageModel):
    """Fails with the backend's own error where a prompt is too long."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        if any(self.count_tokens(chat[-1]["content"]) > self.context_tokens for chat in prompts):
            raise IndexError("index out of range in self")
        return super().complete(prompts, max_tokens=max_tokens, seed=seed)


@mutant("llm", "PMG-LLM-005")
class NeverRecovers(ReferenceLanguageModel):
    """Refuses a prompt that is too long as it should, and answers nothing afterwards."""

    _broken = False

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        if any(self.count_tokens(chat[-1]["content"]) > self.context_tokens for chat in prompts):
            self._broken = True
            raise BackendError("the prompt is longer than the context")
        answers = super().complete(prompts, max_tokens=max_tokens, seed=seed)
        return [""] * len(answers) if self._broken else answers


@mutant("llm", "PMG-LLM-006")
class RatesTheBestAlone(ReferenceLanguageModel):
    """Gives -inf to every option but the best."""

    def choose(self, prompts: Sequence[Chat], options: Sequence[str]) -> list[list[float]]:
        rated = super().choose(prompts, options)
        return [[value if value == max(row) else float("-inf") for value in row] for row in rated]


@mutant("llm", "PMG-LLM-007")
class PrefersTheFirst(ReferenceLanguageModel):
    """Rates an option the lower the later it comes."""

    def choose(self, prompts: Sequence[Chat], options: Sequence[str]) -> list[list[float]]:
        rated = super().choose(prompts, options)
        return [[value - 0.1 * place for place, value in enumerate(row)] for row in rated]


@mutant("llm", "PMG-LLM-008")
class HasNoMemory(ReferenceLanguageModel):
    """Refuses turns of the assistant."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        if any(turn["role"] == "assistant" for chat in prompts for turn in chat):
            raise ValueError("conversation roles must alternate")
        return super().complete(prompts, max_tokens=max_tokens, seed=seed)
