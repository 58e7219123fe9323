"""The prompts of section 3.2.2: (p, a_i, e, x, y) as one chat for every attribute.

Behaviour is data. It enters a prompt only through `quote`, as one line between quotation marks,
free of anything that a chat template or a reader could take for the prompt's own structure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pmg_sdk.interfaces import Chat, ChatMessage, LanguageModel
from pmg_sdk.scenario import Scenario

__all__ = ["plain_line", "preference_prompts", "quote", "summary_prompt", "target_prompt"]

# Tokens of the common chat templates: ChatML, Llama 2 and 3, Gemma, Mistral, DeepSeek, Phi, T5.
_TEMPLATE_TOKENS = re.compile(
    r"<[|\uff5c][^<>]{0,60}?[|\uff5c]>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>"
    r"|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<(?:bos|eos|pad|unk)>",
    re.IGNORECASE,
)
_ROLE_MARKERS = re.compile(
    r"(?:^|(?<=\s))#{0,3}\s*(?:system|assistant|user|human|instruction|response)\s*:", re.I
)
# Cc: controls, Cf: bidi overrides and other invisible marks, Cs/Co/Cn: nothing a reader can see.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn")
_JOINERS = "\u200d\ufe0f\u200c"  # part of emoji, and of Persian and Indic spelling


def plain_line(text: str) -> str:
    """`text` as one line: white space collapsed, control characters and bidi overrides removed."""
    spaced = re.sub(r"[\s\u2028\u2029\x85]+", " ", text)
    return "".join(
        char for char in spaced if char in _JOINERS or unicodedata.category(char) not in _INVISIBLE
    ).strip()


def quote(text: str) -> str:
    """Behaviour text as a prompt may hold it: one line between double quotes.

    Chat-template tokens and role markers are removed, double quotes become single ones, so the
    text cannot end its own quotation.
    """
    line = plain_line(text)
    previous = ""
    while previous != line:  # removing one token may join the halves of another
        previous = line
        line = _ROLE_MARKERS.sub(" ", _TEMPLATE_TOKENS.sub(" ", line))
    line = re.sub(r"[\"\u201c\u201d\u201e\u201f\u00ab\u00bb]", "'", line)
    return '"' + " ".join(line.split()) + '"'


def preference_prompts(
    history: Sequence[str],
    conversation: Sequence[str],
    *,
    scenario: Scenario,
    llm: LanguageModel,
    max_tokens: int,
) -> tuple[list[Chat], int]:
    """One chat for every attribute of the scenario, in its order, and how many old lines were left out.

    The chats are equal up to the question at their end, so a backend can compute p, e, x and y
    once. The oldest messages and items are left out until the prompt fits the LLM's context.
    """
    said, liked = list(conversation), list(history)
    left_out = 0
    longest = max(scenario.attributes, key=lambda attribute: len(attribute.question)).question
    while True:
        shared = _examples(scenario)
        block = _behavior(scenario, liked, said)
        text = "".join(message["content"] for message in shared) + block + longest
        overhead = 8 * (len(shared) + 2)  # tokens that a chat template puts around every turn
        if llm.count_tokens(text) + overhead + max_tokens <= llm.context_tokens or not (liked or said):
            break
        # A quarter at a time, oldest first: a few rounds, whatever the length.
        longer = liked if len(liked) >= len(said) else said
        cut = max(1, len(longer) // 4)
        del longer[:cut]
        left_out += cut
    return [
        [*shared, ChatMessage(role="user", content=block + attribute.question)]
        for attribute in scenario.attributes
    ], left_out


def target_prompt(description: str, *, scenario: Scenario) -> Chat:
    """The chat that reads the target's keywords from one description (p, e, x^t)."""
    turns: list[ChatMessage] = [ChatMessage(role="system", content=scenario.target_principle)]
    for example in scenario.target_examples:
        turns.append(ChatMessage(role="user", content=_question(example.text, scenario)))
        turns.append(ChatMessage(role="assistant", content=scenario.target.answer.format(example.answer)))
    return [*turns, ChatMessage(role="user", content=_question(description, scenario))]


def summary_prompt(text: str, *, scenario: Scenario) -> Chat:
    """The chat that asks for one short sentence about a long text."""
    return [
        ChatMessage(role="system", content=scenario.summary_instruction),
        ChatMessage(role="user", content=f"Text: {quote(text)}\n\n{scenario.summary_instruction}"),
    ]


def _question(description: str, scenario: Scenario) -> str:
    return f"{quote(description)}\n{scenario.target.question}"


def _examples(scenario: Scenario) -> list[ChatMessage]:
    turns = [ChatMessage(role="system", content=scenario.principle)]
    for example in scenario.examples:
        block = _behavior(scenario, example.history, example.conversation)
        for attribute in scenario.attributes:
            turns.append(ChatMessage(role="user", content=block + attribute.question))
            answer = attribute.answer.format(example.answers[attribute.name])
            turns.append(ChatMessage(role="assistant", content=answer))
            block = ""  # the example's behaviour is shown once
    return turns


def _behavior(scenario: Scenario, history: Sequence[str], conversation: Sequence[str]) -> str:
    lines: list[str] = []
    if history:
        lines += [scenario.history_title, *(f"- {quote(text)}" for text in history)]
    if conversation:
        lines += [scenario.conversation_title, *(f"- {quote(text)}" for text in conversation)]
    return "\n".join([*lines, ""]) if lines else ""
