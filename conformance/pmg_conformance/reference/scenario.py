"""A scenario of the toy world: what somebody likes is the words they use."""

from __future__ import annotations

from pmg_sdk.scenario import Attribute, Scenario

__all__ = ["REFERENCE"]

REFERENCE = Scenario(
    name="reference",
    principle="Extract what the user prefers.",
    attributes=(
        Attribute(name="subject", question="What does the user like to see?", keywords=3),
        Attribute(name="style", question="What should it look like?", keywords=3),
    ),
    target_principle="Extract what is asked for.",
    target=Attribute(name="target", question="What is to be shown?", keywords=3),
    neutral_target=("happy",),
    profile={
        "llm": "reference",
        "captioners": {"image": "reference"},
        "generator": "reference",
        "scorer": "reference",
    },
)
