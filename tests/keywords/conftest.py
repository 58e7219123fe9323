"""A scenario with open, closed and grounded attributes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pmg_sdk.scenario import Attribute, Example, Scenario, TargetExample

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(
        name="toys",
        principle="Extract what the user likes.",
        attributes=(
            Attribute(name="subject", question="Which thing does the user like?", keywords=2, grounded=True),
            Attribute(
                name="style",
                question="Which style?",
                keywords=1,
                vocabulary={"flat style": (), "round style": ("soft",)},
                grounded=True,
            ),
        ),
        examples=(Example(history=("owl, flat style",), answers={"subject": "owl", "style": "flat style"}),),
        target_principle="Read the feeling.",
        target=Attribute(
            name="feeling",
            question="Which feeling?",
            keywords=2,
            vocabulary={"happy": ("glad",), "sad": ("unhappy",), "angry": ()},
            answer="It is {}",
            neutral=("The bus stops here",),
        ),
        target_examples=(TargetExample(text="Hooray", answer="happy"),),
        neutral_target=("happy",),
        conversation_templates=("I use {item} all day",),
    )
