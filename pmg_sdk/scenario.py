"""What is written by hand for a kind of media: principle p, attributes a_i, examples e (section 3.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Attribute", "Example", "Scenario", "TargetExample"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribute(_Value):
    """a_i: one side of a taste, asked for with a question of its own.

    Attributes:
        name: of the attribute; keywords remember which one they answer.
        question: put to the LLM after everything else; one line.
        keywords: the most keywords kept.
        vocabulary: a closed set of answers, each with the words it is read by (none: the keyword
            itself). An LLM that rates answers (`SupportsChoice`) chooses from it; what another LLM
            writes is mapped onto it where it can be.
        answer: how an answer from the vocabulary is phrased; `{}` stands for the words.
        grounded: keywords must be found in the behaviour. With a vocabulary, only entries the
            behaviour names are left to choose from, and the commoner ones are favoured; without
            one, ungrounded keywords give way to grounded ones.
        too_general: words that captions are full of and that tell nothing of a taste, as "animal".
        neutral: texts of everyday content. What an LLM that rates answers says about them on average
            is its bias for each entry of the vocabulary, and is subtracted: of a taste as of a target.
    """

    name: str = Field(min_length=1)
    question: str = Field(min_length=1)
    keywords: int = Field(default=2, ge=1, le=16)
    vocabulary: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    answer: str = Field(default="{}", pattern=r"\{\}")
    grounded: bool = False
    too_general: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()

    @property
    def readings(self) -> dict[str, tuple[str, ...]]:
        """Every entry of the vocabulary with the words it is read by, at least one each."""
        return {keyword: tuple(words) or (keyword,) for keyword, words in self.vocabulary.items()}


class Example(_Value):
    """e: a worked example, as the LLM should have answered it.

    Attributes:
        history: short texts of items, as `describe` writes them.
        conversation: short texts of messages.
        answers: the keywords, comma-separated, by the attribute's name.
    """

    history: tuple[str, ...] = ()
    conversation: tuple[str, ...] = ()
    answers: Mapping[str, str]


class TargetExample(_Value):
    """A worked example of reading a target: a description and its keywords, comma-separated."""

    text: str
    answer: str


class Scenario(_Value):
    """Everything the pipeline has to know about a kind of media, and nothing about a vendor.

    Attributes:
        name: as plugins register it.
        principle: p, what the LLM is doing, in a sentence or two.
        attributes: a_i, the most important first: under a token budget the last give way.
        examples: e, one for every style of user worth showing; each answers every attribute.
        target_principle: p of the target prompt.
        target: the one overall attribute of a target.
        target_examples: e of the target prompt.
        neutral_target: the keywords of a target that nothing can be read from.
        summary_instruction: asks the LLM for one short sentence about a long text.
        conversation_templates: sentences with `{item}`; they make the conversation of a user who has
            none but has a history (section 4.1.1).
        history_title, conversation_title: stand above the lists in the prompt.
        profile: fields of `PMGConfig` that `PMGPipeline.from_scenario` starts from.
    """

    name: str = Field(min_length=1)
    principle: str = Field(min_length=1)
    attributes: tuple[Attribute, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = ()
    target_principle: str = Field(min_length=1)
    target: Attribute
    target_examples: tuple[TargetExample, ...] = ()
    neutral_target: tuple[str, ...] = ()
    summary_instruction: str = "Summarise the text in one short sentence."
    conversation_templates: tuple[str, ...] = ()
    history_title: str = "The user liked:"
    conversation_title: str = "The user said:"
    profile: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Scenario:
        names = [attribute.name for attribute in self.attributes]
        if len(set(names)) < len(names):
            raise ValueError(f"every attribute needs a name of its own; got {names}")
        for example in self.examples:
            if set(example.answers) != set(names):
                raise ValueError(
                    f"an example answers every attribute, {names}; this one answers {sorted(example.answers)}"
                )
        for template in self.conversation_templates:
            if "{item}" not in template:
                raise ValueError(f"a conversation template holds {{item}}; {template!r} does not")
        return self
