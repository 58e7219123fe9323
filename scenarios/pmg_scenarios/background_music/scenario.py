"""The background music scenario: the taste comes from what was listened to, the target from a scene.

The paper's example is a video game: the same scene sounds other for every player.
"""

from __future__ import annotations

from pmg_scenarios.background_music.scenes import NEUTRAL_SCENES, SCENES
from pmg_scenarios.background_music.vocabulary import GENRES, INSTRUMENTS
from pmg_sdk.scenario import Attribute, Example, Scenario, TargetExample

__all__ = ["BACKGROUND_MUSIC"]

_INSTRUMENT = Attribute(
    name="instrument",
    question="Which instrument does the user like to listen to most?",
    keywords=1,
    vocabulary=INSTRUMENTS,
    grounded=True,
)
_GENRE = Attribute(
    name="genre",
    question="Which kind of music does the user listen to most?",
    keywords=1,
    vocabulary=GENRES,
    grounded=True,
)
_SCENE = Attribute(
    name="scene",
    question="What is this scene about? Answer with one word.",
    keywords=1,
    vocabulary=SCENES,
    answer="A scene of {}",
    neutral=NEUTRAL_SCENES,
)

BACKGROUND_MUSIC = Scenario(
    name="background_music",
    principle="You extract which music a user likes from what they listen to and the messages they write. "
    "Answer with one or two short keywords from the list.",
    attributes=(_INSTRUMENT, _GENRE),
    examples=(
        Example(
            history=("Harp concerto in B flat, classical", "Harp solo, classical", "Marches for brass band"),
            conversation=("The harp player yesterday was wonderful",),
            answers={"instrument": "harp", "genre": "classical"},
        ),
        Example(
            history=("Accordion waltzes from Paris", "Accordion and voice, waltz", "Piano ballads"),
            conversation=("I learn to dance the waltz",),
            answers={"instrument": "accordion", "genre": "waltz"},
        ),
    ),
    target_principle="You choose the music for a scene of a game or a film.",
    target=_SCENE,
    target_examples=(
        TargetExample(text="Guards hunt the thief over the roofs", answer="chase"),
        TargetExample(text="The family sits around the old grave", answer="grief"),
        TargetExample(text="Everybody jumps around the fire and sings", answer="celebration"),
    ),
    neutral_target=("medium calm music",),
    summary_instruction="Summarise the text in one short sentence.",
    conversation_templates=("I listen to {item} all the time", "I like {item}", "My favourite is {item}"),
    history_title="Music the user listens to:",
    conversation_title="Messages of the user:",
    profile={
        "llm": {"adapter": "transformers", "options": {"model": "pmg:smollm2-135m-instruct"}},
        "captioners": {"audio": {"adapter": "clap-tags", "options": {"model": "pmg:music-clap"}}},
        "generator": {"adapter": "audioldm", "options": {"model": "pmg:music-diffusion"}},
        "scorer": {"adapter": "clap", "options": {"model": "pmg:music-clap"}},
        "weights": ("0.5:1.5", "0.75:1.25", "1:1", "1.25:0.75", "1.5:0.5"),
    },
)
