"""Text out of text: what keywords are read from."""

from __future__ import annotations

import math

from pmg_conformance.check import check
from pmg_conformance.failure import ConformanceFailure, expect
from pmg_conformance.samples import LONG_TEXT, SCRIPTS, chats
from pmg_conformance.subject import Subject
from pmg_sdk.errors import PMGError
from pmg_sdk.interfaces import Chat

OPTIONS = ("cat", "rocket", "a green frog")


@check("PMG-LLM-001", "llm", "smoke", advice="Decode to str; drop special tokens.")
def answers_are_text(subject: Subject) -> None:
    """Every answer is text, without the prompt and without special tokens.

    Keywords are parsed from it.
    """
    for chat, answer in zip(chats(), subject.adapter.complete(chats(), max_tokens=8), strict=True):
        expect(isinstance(answer, str), "text", type(answer).__name__)
        expect(chat[-1]["content"] not in answer, "the answer alone", "the prompt in it")
        expect("<|" not in answer and "</s>" not in answer, "no special tokens", repr(answer[:60]))


@check("PMG-LLM-002", "llm", "smoke", advice="Pass `max_tokens` on.")
def answers_are_as_short_as_asked(subject: Subject) -> None:
    """An answer has at most `max_tokens` tokens.

    A model that goes on writes for seconds what nobody reads.
    """
    adapter = subject.adapter
    for limit in (1, 4):
        for answer in adapter.complete(chats(), max_tokens=limit):
            tokens = adapter.count_tokens(answer)
            # Tokens of the text need not be those that were written: one may be split when read again.
            expect(tokens <= 2 * limit + 2, f"about {limit} tokens", tokens)


@check("PMG-LLM-003", "llm", "smoke", advice="Count with the model's own tokenizer.")
def counting_grows_with_the_text(subject: Subject) -> None:
    """`count_tokens` is 0 or more and grows with the text.

    Histories are cut to the context by it.
    """
    count = subject.adapter.count_tokens
    short, long = count("a red cat"), count("a red cat " * 50)
    expect(0 <= count("") <= short < long, "counts that grow", f"{count('')}, {short}, {long}")
    context = subject.adapter.context_tokens
    expect(isinstance(context, int) and context >= 256, "a context of at least 256 tokens", context)


@check("PMG-LLM-004", "llm", "smoke", advice="Accept any Unicode text.")
def every_script_is_read(subject: Subject) -> None:
    """Other scripts, emoji and control characters are read, not refused.

    Users write as they write.
    """
    asked: list[Chat] = [[{"role": "user", "content": text}] for text in SCRIPTS]
    answers = subject.adapter.complete(asked, max_tokens=4)
    expect(len(answers) == len(SCRIPTS), f"{len(SCRIPTS)} answers", len(answers))


@check("PMG-LLM-005", "llm", "core", advice="Raise BackendError, or cut the prompt and answer.")
def a_prompt_over_the_context_is_met(subject: Subject) -> None:
    """A prompt longer than the context is answered or refused with a typed error; it works afterwards.

    The core cuts by estimate where a backend cannot count; the estimate can be wrong.
    """
    adapter = subject.adapter
    (before,) = adapter.complete(chats()[:1], max_tokens=4)
    asked: Chat = [{"role": "user", "content": LONG_TEXT * 4}]
    try:
        answers = adapter.complete([asked], max_tokens=4)
        expect(len(answers) == 1, "one answer", len(answers))
    except PMGError:
        pass
    (after,) = adapter.complete(chats()[:1], max_tokens=4)
    expect(before == after, "the same answer as before", repr(after))


@check(
    "PMG-LLM-006", "llm", "smoke", requires="choice", advice="One finite number for every option, in order."
)
def every_option_is_rated(subject: Subject) -> None:
    """`choose` gives a finite number for every option of every prompt.

    The emotion of a message is the option with the largest.
    """
    rated = subject.adapter.choose(chats(), OPTIONS)
    shape = [len(row) for row in rated]
    expect(shape == [len(OPTIONS)] * len(chats()), f"{len(chats())} rows of {len(OPTIONS)}", shape)
    finite = all(math.isfinite(value) for row in rated for value in row)
    expect(finite, "finite numbers", "others")


@check("PMG-LLM-007", "llm", "core", requires="choice", advice="Rate each option on its own.")
def ratings_belong_to_their_options(subject: Subject) -> None:
    """A rating belongs to its option, whatever the order of options and prompts.

    The first option must not win because it is first.
    """
    choose = subject.adapter.choose
    forth = choose(chats(), OPTIONS)
    back = choose(chats()[::-1], OPTIONS[::-1])[::-1]
    for row, turned in zip(forth, back, strict=True):
        # log P is known up to a constant of the prompt: only differences count.
        one = [value - row[0] for value in row]
        other = [value - turned[-1] for value in turned[::-1]]
        worst = max(abs(a - b) for a, b in zip(one, other, strict=True))
        expect(worst <= 1e-2, "the same ratings in another order", f"a difference of {worst:.3g}")


@check("PMG-LLM-008", "llm", "smoke", advice="Answer the last turn in the light of those before.")
def every_turn_is_read(subject: Subject) -> None:
    """The prompt's turns are all accepted: system, user, assistant, user.

    Worked examples are turns of the assistant.
    """
    asked: Chat = [
        {"role": "system", "content": "Answer with keywords."},
        {"role": "user", "content": "The user liked: a blue dog."},
        {"role": "assistant", "content": "dog, blue"},
        {"role": "user", "content": "The user liked: a red cat."},
    ]
    answers = subject.adapter.complete([asked], max_tokens=6)
    if len(answers) != 1 or not isinstance(answers[0], str):
        raise ConformanceFailure("one answer", repr(answers)[:80])
