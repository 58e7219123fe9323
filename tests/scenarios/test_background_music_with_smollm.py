"""The background music scenario read by the language model that it is made for."""

from __future__ import annotations

import pytest

from pmg_scenarios.background_music import BACKGROUND_MUSIC
from pmg_sdk.cli.users import behavior_of
from pmg_sdk.describe import BehaviorSummary
from pmg_sdk.keywords import avoided_keywords, preference_keywords, target_keywords
from pmg_transformers.language_model import TransformersLanguageModel

pytestmark = pytest.mark.slow

# Never used while readings, examples and neutral scenes were written. Behind a scene stand moods that fit it.
HELD_OUT = (
    ("Bandits ambush our wagon in the canyon", "tense heroic"),
    ("Run! The bridge is collapsing behind you", "tense heroic"),
    ("A candle goes out in the abandoned hospital", "tense"),
    ("Somebody whispers your name from the empty well", "tense"),
    ("The champion lifts the golden cup before the crowd", "heroic cheerful"),
    ("Our ship sails towards undiscovered lands", "heroic calm"),
    ("The last guardian stands alone against a thousand enemies", "heroic tense"),
    ("Motorbikes speed through the desert", "heroic tense"),
    ("Fireworks and laughter on new year's eve", "cheerful"),
    ("The circus has come to town", "cheerful"),
    ("Friends throw snowballs at each other", "cheerful"),
    ("A puppy jumps around in the grass", "cheerful calm"),
    ("Clouds drift over the meadow", "calm"),
    ("The monk sits below the cherry tree", "calm"),
    ("Stars above the camp, everybody is asleep", "calm"),
    ("A cup of tea on the balcony", "calm"),
    ("The hero kneels at his father's grave", "sad heroic"),
    ("He finds her letter, years too late", "sad"),
    ("The village lies in ruins and nobody is left", "sad tense"),
    ("An old dog waits for a master who will not return", "sad"),
)


def test_three_of_four_moods_are_read_from_new_scenes(llm: TransformersLanguageModel) -> None:
    wrong = []
    for scene, moods in HELD_OUT:
        found, _ = target_keywords([scene], scenario=BACKGROUND_MUSIC, llm=llm)
        _, mood, _ = found.texts[0].split()
        if mood not in moods.split():
            wrong.append((scene, moods, found.texts))
    assert len(wrong) <= len(HELD_OUT) // 4, wrong


@pytest.mark.parametrize(
    ("user", "liked", "avoided"),
    [
        ("ballroom-dancer", ("violin", "waltz"), ("electronic",)),
        ("baroque-listener", ("harpsichord", "classical"), ("electric guitar", "rock")),
        ("island-dreamer", ("steel drum", "latin"), ("church organ", "classical")),
        ("jazz-pianist", ("piano", "jazz"), ("electric guitar", "rock")),
        ("metal-fan", ("electric guitar", "rock"), ("music box",)),
        ("retro-gamer", ("chiptune synth", "electronic"), ("choir", "classical")),
    ],
)
def test_every_sample_user_is_read(
    llm: TransformersLanguageModel, user: str, liked: tuple[str, ...], avoided: tuple[str, ...]
) -> None:
    behavior = behavior_of(user, "background_music")
    summary = BehaviorSummary(
        history=tuple(item.text for item in behavior.liked),
        conversation=tuple(message.text for message in behavior.conversation),
        disliked=tuple(item.text for item in behavior.disliked),
    )
    assert preference_keywords(summary, scenario=BACKGROUND_MUSIC, llm=llm)[0].texts == liked
    assert avoided_keywords(summary, scenario=BACKGROUND_MUSIC, llm=llm)[0].texts == avoided
