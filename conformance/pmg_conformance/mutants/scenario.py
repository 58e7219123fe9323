"""Scenarios that are wrong."""

from __future__ import annotations

from typing import Any

from pmg_conformance.mutants.mutant import wrong_scenario
from pmg_conformance.reference.scenario import REFERENCE
from pmg_sdk.plugins import ScenarioSpec
from pmg_sdk.scenario import Attribute, Example, Scenario, TargetExample

_SUBJECT, _STYLE = REFERENCE.attributes


def _with(**fields: Any) -> Scenario:
    """The reference scenario with other fields."""
    stated = {name: getattr(REFERENCE, name) for name in Scenario.model_fields}
    return Scenario(**{**stated, **fields})


def _example(subject: str, style: str, *history: str) -> Example:
    return Example(history=history or ("a red cat",), answers={"subject": subject, "style": style})


wrong_scenario(
    "is-registered-otherwise",
    "PMG-SCN-001",
    REFERENCE,
    "Is registered by another name than its own.",
    ScenarioSpec("other", "pmg_conformance.reference.scenario:REFERENCE"),
)
wrong_scenario(
    "names-no-adapter",
    "PMG-SCN-002",
    _with(profile={"generator": "no-such-generator"}),
    "Its profile names an adapter that does not exist.",
)
wrong_scenario(
    "misspells-a-field",
    "PMG-SCN-002",
    _with(profile={"wieghts": ["1:1"]}),
    "Its profile has a field that no config has.",
)
wrong_scenario(
    "asks-twice",
    "PMG-SCN-003",
    _with(
        attributes=(_SUBJECT, Attribute(name="style", question="What should it look like?\nAnd what not?"))
    ),
    "A question has two lines.",
)
wrong_scenario(
    "teaches-sentences",
    "PMG-SCN-004",
    _with(examples=(_example("The user seems to like cats that are red best", "minimal"),)),
    "A worked example answers with a sentence.",
)
wrong_scenario(
    "teaches-too-much",
    "PMG-SCN-004",
    _with(examples=(_example("cat, dog, frog, robot", "minimal"),)),
    "A worked example answers with more keywords than are kept.",
)
wrong_scenario(
    "teaches-targets-badly",
    "PMG-SCN-004",
    _with(target_examples=(TargetExample(text="I got the job", answer="I do not know"),)),
    "A worked example of a target is a refusal.",
)
wrong_scenario(
    "leaves-no-room",
    "PMG-SCN-005",
    _with(examples=(_example("cat", "minimal", *("a red cat that sleeps on the sofa",) * 300),)),
    "Its examples fill the context of a small model.",
)
wrong_scenario(
    "has-no-neutral-target",
    "PMG-SCN-006",
    _with(neutral_target=()),
    "Nothing stands in where nothing can be read from a target.",
)
wrong_scenario(
    "is-neutral-in-other-words",
    "PMG-SCN-006",
    _with(
        target=Attribute(name="target", question="What is to be shown?", vocabulary={"happy": (), "sad": ()}),
        neutral_target=("indifferent",),
    ),
    "Its neutral target is not in the target's vocabulary.",
)
wrong_scenario(
    "knows-one-taste",
    "PMG-SCN-007",
    _with(
        attributes=(Attribute(name="style", question="What does the user like?", vocabulary={"cute": ()}),)
    ),
    "Its only attribute has one answer for everybody.",
)
wrong_scenario(
    "cannot-phrase-an-answer",
    "PMG-SCN-008",
    _with(
        target=Attribute(
            name="target",
            question="What is to be shown?",
            answer="A face of {feeling} that is {}",
        ),
        target_examples=(TargetExample(text="I got the job", answer="happy"),),
    ),
    "Its answers have a field that nothing fills, so no target can be read.",
)
wrong_scenario(
    "opens-a-quotation",
    "PMG-SCN-009",
    _with(history_title='The user wrote: "'),
    "A title ends inside a quotation, so that the user's text stands outside.",
)
wrong_scenario(
    "crowds-the-user-out",
    "PMG-SCN-009",
    _with(principle="Extract what the user prefers. " * 700),
    "Its principle leaves no token for a history, which is then left out.",
)
