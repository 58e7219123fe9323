"""The emoticons scenario read by the language model that it is made for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pmg_scenarios.emoticons import EMOTICONS, Catalogue, sample_users
from pmg_sdk.describe import BehaviorSummary
from pmg_sdk.keywords import avoided_keywords, preference_keywords, target_keywords
from pmg_transformers.language_model import TransformersLanguageModel

pytestmark = pytest.mark.slow

# Never used while prompts, readings and neutral messages were written. Where two words stand, both are right.
HELD_OUT = (
    ("We won the cup, I am so glad!", "happy"),
    ("My exam went really well, thank you all", "happy"),
    ("lol that cat video is hilarious", "laughing"),
    ("Grandpa fell asleep in his soup, we could not stop giggling", "laughing"),
    ("I have a crush on the new girl at work", "in love"),
    ("You make my heart beat faster", "in love"),
    ("Come here and give me a kiss", "kissing"),
    ("Mwah! See you tomorrow, sweetheart", "kissing, in love"),
    ("I may have eaten your cookie, oops, only teasing", "winking"),
    ("You and I both know who did it, wink wink", "winking"),
    ("We lost the final and the whole team burst into tears", "crying, sad"),
    ("I cried all night after we broke up", "crying, sad"),
    ("My best friend is moving far away", "sad, crying"),
    ("The concert I was waiting for was cancelled", "sad"),
    ("Stop shouting at me, I have had enough of this!", "angry"),
    ("The landlord kept my deposit, what a thief", "angry"),
    ("I opened the box and there was a real diamond inside!", "surprised"),
    ("No way, you are kidding, twins?", "surprised"),
    ("I keep yawning in this meeting", "sleepy, tired"),
    ("I could nap for a whole day", "sleepy, tired"),
    ("My new band plays at the club tonight, we rock", "cool"),
    ("Just landed the jump with my hands in my pockets", "cool"),
    ("Somebody is following me home", "scared"),
    ("A huge spider is sitting on my pillow", "scared"),
    ("My stomach hurts and I feel dizzy", "sick"),
    ("The doctor says I have the flu", "sick"),
    ("What a week, I have no energy left", "tired, sleepy"),
    ("The baby kept us up and I still had to work all day", "tired, sleepy"),
)


def test_three_of_four_feelings_are_read_from_new_messages(llm: TransformersLanguageModel) -> None:
    wrong = []
    for message, expected in HELD_OUT:
        found, _ = target_keywords([message], scenario=EMOTICONS, llm=llm)
        if found.texts[0] not in expected.split(", "):
            wrong.append((message, expected, found.texts))
    assert len(wrong) <= len(HELD_OUT) // 4, wrong


@pytest.mark.parametrize(
    ("user", "subject", "style"),
    [
        ("cat-lover", "cat", "glossy 3D style"),
        ("dog-lover", "dog", "black and white outline style"),
        ("food-lover", "pizza", "Noto style"),
        ("football-fan", "soccer ball", "flat design style"),
        ("frog-friend", "frog", "Twemoji style"),
        ("robot-maker", "robot", "glossy 3D style"),
    ],
)
def test_the_taste_of_every_sample_user_is_found(
    llm: TransformersLanguageModel, tmp_path: Path, user: str, subject: str, style: str
) -> None:
    behavior = sample_users(Catalogue(tmp_path / "texts only.zip"))[user]
    summary = BehaviorSummary(
        tuple(item.text for item in behavior.liked),
        tuple(item.text for item in behavior.disliked),
        tuple(message.text for message in behavior.conversation),
    )
    found, warnings = preference_keywords(summary, scenario=EMOTICONS, llm=llm)
    assert found.texts == (subject, style)
    assert warnings == ()
    avoided, _ = avoided_keywords(summary, scenario=EMOTICONS, llm=llm)
    assert avoided
    assert not set(avoided.texts) & set(found.texts)


def test_the_keyword_stage_of_a_warm_model_is_quick(llm: TransformersLanguageModel, tmp_path: Path) -> None:
    behavior = sample_users(Catalogue(tmp_path / "texts only.zip"))["cat-lover"]
    summary = BehaviorSummary(tuple(item.text for item in behavior.liked), (), ("My cat sleeps again",))
    target_keywords(["Warm up"], scenario=EMOTICONS, llm=llm)
    fastest = float("inf")
    for message in ("I passed!", "Oh no, my bike is gone"):
        start = time.perf_counter()
        preference_keywords(summary, scenario=EMOTICONS, llm=llm)
        target_keywords([message], scenario=EMOTICONS, llm=llm)
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 5.0  # about 1 s on two idle cores; the rest is for machines that are not idle
