"""The emoticons scenario: the taste comes from emoji used and old messages, the target from a new message."""

from __future__ import annotations

from pmg_scenarios.emoticons.expressions import EXPRESSIONS, NEUTRAL_MESSAGES
from pmg_sdk.scenario import Attribute, Example, Scenario, TargetExample

__all__ = ["EMOTICONS", "STYLES"]

STYLES: dict[str, str] = {
    "glossy": "glossy 3D style",
    "flat": "flat design style",
    "outline": "black and white outline style",
    "noto": "Noto style",
    "twemoji": "Twemoji style",
}
"""What a drawing style is called in captions and keywords, by its name in the catalogue."""

_SUBJECT = Attribute(
    name="subject",
    question="Which animal, character or thing does the user like most?",
    keywords=1,
    grounded=True,
    too_general=(
        "animal",
        "animals",
        "bird",
        "food",
        "face",
        "object",
        "person",
        "place",
        "plant",
        "symbol",
        "thing",
    ),
)
_STYLE = Attribute(
    name="style",
    question="Which drawing style does the user like most?",
    keywords=1,
    vocabulary=dict.fromkeys(STYLES.values(), ()),
    grounded=True,
)
_EXPRESSION = Attribute(
    name="expression",
    question="What face shows this feeling? Answer with one word.",
    keywords=2,
    vocabulary=EXPRESSIONS,
    answer="A face that is {}",
    neutral=NEUTRAL_MESSAGES,
)

EMOTICONS = Scenario(
    name="emoticons",
    principle="You extract what a user likes from the emoji they use and the messages they write. "
    "Answer with one or two short keywords from the list.",
    attributes=(_SUBJECT, _STYLE),
    examples=(
        Example(
            history=(
                "owl, bird, flat design style",
                "parrot, bird, flat design style",
                "owl, night, flat design style",
            ),
            conversation=("An owl sits in our garden again!",),
            answers={"subject": "owl", "style": "flat design style"},
        ),
        Example(
            history=(
                "guitar, music, Noto style",
                "red apple, fruit, Noto style",
                "electric guitar, Noto style",
            ),
            conversation=("I bought a new guitar",),
            answers={"subject": "guitar", "style": "Noto style"},
        ),
    ),
    target_principle="You choose the emoji face for a chat message.",
    target=_EXPRESSION,
    target_examples=(
        TargetExample(text="Dad shouts because the dog ate his shoes", answer="angry"),
        TargetExample(text="Off to the zoo with all my friends", answer="happy"),
        TargetExample(text="The cinema was so boring that I closed my eyes", answer="sleepy"),
    ),
    neutral_target=("happy",),
    summary_instruction="Summarise the text in one short sentence.",
    conversation_templates=("I use {item} all the time", "I like {item}", "My favourite is {item}"),
    history_title="Emoji the user likes:",
    conversation_title="Messages of the user:",
    profile={
        "llm": {"adapter": "transformers", "options": {"model": "pmg:smollm2-135m-instruct"}},
        "captioners": {"image": {"adapter": "open-clip-tags", "options": {"model": "pmg:emoji-clip"}}},
        "soft_preference": {"adapter": "transformers", "options": {"model": "pmg:emoji-soft"}},
        "generator": {"adapter": "stable-diffusion", "options": {"model": "pmg:emoji-diffusion"}},
        "scorer": {"adapter": "open-clip", "options": {"model": "pmg:emoji-clip"}},
        # An emoji answers a message first: the paper's 0.5 gave up 5.5 % of d_t where this gives up 3.7 %,
        # for 2 % more d_p (162 answers of recipes.emoji.selection).
        "alpha": 0.3,
        # Inside the weights the generator was trained with, 0.5 to 1.6; five candidates take a CPU seconds.
        "weights": ("0.5:1.5", "0.75:1.25", "1:1", "1.25:0.75", "1.5:0.5"),
    },
)
