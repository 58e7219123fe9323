"""Behaviour as short text: x_i for every item, y_i for every message (paper, section 3.2.1)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pmg_sdk.answers import one_for_each
from pmg_sdk.behavior import Behavior, Item
from pmg_sdk.config import Limits
from pmg_sdk.interfaces import Captioner, LanguageModel
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer, Silent, check_cancelled
from pmg_sdk.prompts import plain_line, summary_prompt
from pmg_sdk.scenario import Scenario

__all__ = ["SHORT", "BehaviorSummary", "Limits", "describe", "describe_items"]

SHORT = 160
"""Texts of at most this many characters stand for themselves; a description is never longer."""

SUMMARY_TOKENS = 40
_GAP = " ... "

T = TypeVar("T")


@dataclass(frozen=True)
class BehaviorSummary:
    """x and y: a behaviour as short texts, oldest first.

    Attributes:
        history: one text for every liked item that could be described.
        disliked: likewise for the items turned down.
        conversation: one text for every message of the user.
        warnings: what was left out or replaced, without any of the user's text.
    """

    history: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    conversation: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.history or self.disliked or self.conversation)


def describe(
    behavior: Behavior,
    *,
    scenario: Scenario,
    llm: LanguageModel,
    captioners: Mapping[str, Captioner],
    limits: Limits | None = None,
    seed: int = 0,
    observer: Observer | None = None,
) -> BehaviorSummary:
    """Short texts for the newest items and messages.

    Long texts become one sentence by the LLM, media a caption by the captioner of their modality.
    A user without a conversation gets one from the scenario's templates.

    Args:
        limits: what is beyond them is left out, oldest first, and reported in the warnings.
        seed: chooses among the conversation templates.

    Raises:
        BackendError, OutOfMemory: a model failed. Cancelled: the observer asked to stop.
    """
    limits, observer = limits or Limits(), observer or Silent()
    warnings: list[str] = []
    liked = _newest(behavior.liked, limits.items, "liked items", warnings)
    disliked = _newest(behavior.disliked, limits.items, "disliked items", warnings)
    own = [message for message in behavior.conversation if message.role == "user"]
    said = _newest(own, limits.messages, "messages", warnings)

    texts = _Texts(scenario, llm, limits, seed, observer, warnings)
    described = texts.of([*liked, *disliked, *(Item(text=message.text) for message in said)], captioners)
    middle, end = len(liked), len(liked) + len(disliked)
    history = _nonempty(described[:middle], "liked items", warnings)
    conversation = _nonempty(described[end:], "messages", warnings)
    if not conversation:
        conversation = _from_templates(scenario, history, seed)
    return BehaviorSummary(
        history, _nonempty(described[middle:end], "disliked items", warnings), conversation, tuple(warnings)
    )


def describe_items(
    items: Sequence[Item],
    *,
    scenario: Scenario,
    llm: LanguageModel,
    captioners: Mapping[str, Captioner],
    limits: Limits | None = None,
    seed: int = 0,
    observer: Observer | None = None,
    warnings: list[str] | None = None,
) -> list[str]:
    """One short text for every item, in order; "" where an item has neither text nor a caption.

    Args:
        warnings: takes what was left out or replaced, where given.

    Raises:
        As `describe`.
    """
    noted = warnings if warnings is not None else []
    texts = _Texts(scenario, llm, limits or Limits(), seed, observer or Silent(), noted)
    return texts.of(items, captioners)


@dataclass(frozen=True, eq=False)
class _Texts:
    """Describes items, all long texts in one call of the LLM, all media in one of their captioner."""

    scenario: Scenario
    llm: LanguageModel
    limits: Limits
    seed: int
    observer: Observer
    warnings: list[str]

    def of(self, items: Sequence[Item], captioners: Mapping[str, Captioner]) -> list[str]:
        """x_i of every item: its text and its captions, comma-separated."""
        self.observer.start("describe", len(items))
        check_cancelled(self.observer)
        texts = self._short([item.text for item in items])
        captions = self._captions([item.media for item in items], captioners)
        self.observer.advance("describe", len(items))
        return [_clipped(_together(text, captioned)) for text, captioned in zip(texts, captions, strict=True)]

    def _short(self, texts: Sequence[str]) -> list[str]:
        allowed = min(self.limits.text, 3 * (self.llm.context_tokens - 256))
        cut = [_head_and_tail(text, max(allowed, SHORT)) for text in texts]
        shortened = sum(len(text) > max(allowed, SHORT) for text in texts)
        if shortened:
            self.warnings.append(
                f"{shortened} texts were longer than {max(allowed, SHORT):,} characters; "
                "only their beginning and end were read"
            )
        lines = [plain_line(text) for text in cut]
        long = [index for index, line in enumerate(lines) if len(line) > SHORT]
        if not long:
            return lines
        prompts = [summary_prompt(self._fitting(lines[index]), scenario=self.scenario) for index in long]
        answers = self.llm.complete(prompts, max_tokens=SUMMARY_TOKENS, seed=self.seed)
        check_cancelled(self.observer)
        one_for_each(answers, prompts, f"the language model {type(self.llm).__name__}")
        unanswered = 0
        for index, answer in zip(long, answers, strict=True):
            sentence = plain_line(answer).strip("\"' ")
            unanswered += not sentence
            lines[index] = _clipped(sentence) if sentence else _head_and_tail(lines[index], SHORT)
        if unanswered:
            self.warnings.append(
                f"the language model summarised {unanswered} texts with nothing; "
                "their beginning and end stand for them"
            )
        return lines

    def _fitting(self, line: str) -> str:
        """Some scripts take several tokens a character: halve until the LLM can read it."""
        room = self.llm.context_tokens - SUMMARY_TOKENS - 128
        while len(line) > SHORT and self.llm.count_tokens(line) > room:
            line = _head_and_tail(line, len(line) // 2)
        return line

    def _captions(
        self, features: Sequence[Sequence[Media]], captioners: Mapping[str, Captioner]
    ) -> list[list[str]]:
        captions: list[list[str]] = [[] for _ in features]
        queues: dict[str, list[tuple[int, Media]]] = {}
        for index, media in enumerate(features):
            if len(media) > self.limits.media:
                self.warnings.append(
                    f"an item has {len(media)} media; the first {self.limits.media} were looked at"
                )
            for medium in media[: self.limits.media]:
                queues.setdefault(medium.modality, []).append((index, medium))
        for modality, queue in queues.items():
            captioner = captioners.get(modality)
            if captioner is None:
                self.warnings.append(
                    f"{len(queue)} media of modality {modality!r} were not looked at: no captioner reads them"
                )
                continue
            answers = captioner.caption([medium for _, medium in queue])
            check_cancelled(self.observer)
            one_for_each(answers, queue, f"the {modality} captioner {type(captioner).__name__}")
            for (index, _), caption in zip(queue, answers, strict=True):
                captions[index].append(plain_line(caption))
        return captions


def _newest(entries: Sequence[T], count: int, what: str, warnings: list[str]) -> Sequence[T]:
    if len(entries) > count:
        warnings.append(f"{len(entries):,} {what} were given; the newest {count} were read")
    return entries[-count:]


def _nonempty(texts: Sequence[str], what: str, warnings: list[str]) -> tuple[str, ...]:
    kept = tuple(text for text in texts if text)
    if len(kept) < len(texts):
        warnings.append(f"{len(texts) - len(kept)} {what} had nothing to describe")
    return kept


def _from_templates(scenario: Scenario, history: Sequence[str], seed: int) -> tuple[str, ...]:
    """The conversation of a user who has none: the newest items in the scenario's sentences."""
    if not history or not scenario.conversation_templates:
        return ()
    chosen = random.Random(seed).choice(scenario.conversation_templates)
    return (chosen.replace("{item}", history[-1].split(",")[0].strip()),)


def _together(text: str, captions: Sequence[str]) -> str:
    """The text, then what the captions add: parts it already has are not said twice."""
    known = {part.strip().casefold() for part in text.split(",")}
    parts = [text] if text else []
    for caption in captions:
        for part in caption.split(","):
            if part.strip() and part.strip().casefold() not in known:
                known.add(part.strip().casefold())
                parts.append(part.strip())
    return ", ".join(parts)


def _head_and_tail(text: str, length: int) -> str:
    """At most `length` characters: the beginning and the end, where titles and verdicts stand."""
    if len(text) <= length:
        return text
    tail = (length - len(_GAP)) // 3
    return text[: length - len(_GAP) - tail] + _GAP + text[len(text) - tail :]


def _clipped(text: str) -> str:
    """At most `SHORT` characters, cut between words where there are any."""
    if len(text) <= SHORT:
        return text
    head = text[:SHORT]
    return head.rsplit(" ", 1)[0] if " " in head[SHORT // 2 :] else head
