"""Behaviour becomes short texts, whatever it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scripted import ScriptedModel

from pmg_sdk.behavior import Behavior, Item, Message
from pmg_sdk.config import Limits
from pmg_sdk.describe import SHORT, BehaviorSummary, describe, describe_items
from pmg_sdk.errors import BackendError, Cancelled
from pmg_sdk.interfaces import Captioner, Chat
from pmg_sdk.media import Image, Media
from pmg_sdk.progress import Silent
from pmg_sdk.scenario import Scenario

LONG = "A cat sits on the roof. " * 20


class Brightness(Captioner):
    """Says whether a picture is bright; counts its calls."""

    modality = "image"

    def __init__(self) -> None:
        self.calls = 0

    def caption(self, media: Sequence[Media]) -> list[str]:
        self.calls += 1
        return ["bright" if image.picture().pixels.mean() > 127 else "dark" for image in media]


def picture(value: int) -> Image:
    return Image(np.full((2, 2, 3), value, dtype=np.uint8))


def summary(
    behavior: Behavior, scenario: Scenario, llm: ScriptedModel | None = None, **options: Any
) -> BehaviorSummary:
    return describe(behavior, scenario=scenario, llm=llm or ScriptedModel(), captioners={}, **options)


def test_short_texts_are_passed_as_they_are_and_the_llm_is_not_asked(scenario: Scenario) -> None:
    llm = ScriptedModel()
    found = summary(Behavior(history=["cat, flat style", "dog"], conversation=["Hello!"]), scenario, llm)
    assert found == BehaviorSummary(("cat, flat style", "dog"), (), ("Hello!",))
    assert llm.asked == []


def test_long_texts_are_summarised_in_one_batch(scenario: Scenario) -> None:
    llm = ScriptedModel(lambda prompt: "A cat on a roof." if "cat" in prompt else "Something else.")
    behavior = Behavior(history=[LONG, "dog", LONG.replace("cat", "dog")], conversation=[LONG])
    found = summary(behavior, scenario, llm)
    assert found.history == ("A cat on a roof.", "dog", "Something else.")
    assert found.conversation == ("A cat on a roof.",)
    assert [len(batch) for batch in llm.asked] == [3]
    assert found.warnings == ()


def test_an_unanswered_summary_leaves_beginning_and_end_with_a_warning(scenario: Scenario) -> None:
    found = summary(Behavior(history=["First words. " + LONG + "Last words."]), scenario, ScriptedModel(""))
    (text,) = found.history
    assert text.startswith("First words.")
    assert text.endswith("Last words.")
    assert len(text) <= SHORT
    assert any("summarised 1 texts with nothing" in warning for warning in found.warnings)


class Silence(ScriptedModel):
    """Loses an answer."""

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        return super().complete(prompts, max_tokens=max_tokens, seed=seed)[1:]


def test_an_llm_that_loses_a_summary_is_named(scenario: Scenario) -> None:
    with pytest.raises(BackendError, match=r"questions \(2\).*the language model Silence gave 1"):
        summary(Behavior(history=[LONG, LONG]), scenario, Silence("A cat."))


def test_a_text_of_a_million_characters_is_cut_before_the_llm(scenario: Scenario) -> None:
    llm = ScriptedModel("Long.")
    text = "beginning " + "x" * 1_000_000 + " end"
    found = summary(Behavior(history=[text]), scenario, llm)
    (prompt,) = llm.asked[0]
    assert len(prompt[-1]["content"]) < 25_000
    assert "beginning" in prompt[-1]["content"]
    assert ' end"' in prompt[-1]["content"]
    assert any("only their beginning and end were read" in warning for warning in found.warnings)


def test_what_an_llm_with_a_short_context_is_given_fits(scenario: Scenario) -> None:
    llm = ScriptedModel("Short.", context=512)
    summary(Behavior(history=["\u732b" * 5_000]), scenario, llm)
    (prompt,) = llm.asked[0]
    assert llm.count_tokens("".join(turn["content"] for turn in prompt)) < 512


def test_of_thousands_of_items_the_newest_are_read(scenario: Scenario) -> None:
    behavior = Behavior(history=[f"thing {number}" for number in range(5_000)])
    found = summary(behavior, scenario, limits=Limits(items=3))
    assert found.history == ("thing 4997", "thing 4998", "thing 4999")
    assert found.warnings == ("5,000 liked items were given; the newest 3 were read",)


def test_several_features_of_an_item_become_one_text(scenario: Scenario) -> None:
    item = Item(text="lamp", media=(picture(255), picture(0)))
    captioner = Brightness()
    texts = describe_items(
        [item, Item(media=picture(0)), Item(text="plain")],
        scenario=scenario,
        llm=ScriptedModel(),
        captioners={"image": captioner},
    )
    assert texts == ["lamp, bright, dark", "dark", "plain"]
    assert captioner.calls == 1


def test_a_caption_does_not_repeat_what_the_text_says(scenario: Scenario) -> None:
    texts = describe_items(
        [Item(text="Bright, big lamp", media=picture(255))],
        scenario=scenario,
        llm=ScriptedModel(),
        captioners={"image": Brightness()},
    )
    assert texts == ["Bright, big lamp"]


def test_media_without_a_captioner_are_reported(scenario: Scenario) -> None:
    found = summary(Behavior(history=[Item(media=picture(0)), Item(text="cat")]), scenario)
    assert found.history == ("cat",)
    assert any("no captioner reads them" in warning for warning in found.warnings)
    assert any("1 liked items had nothing to describe" in warning for warning in found.warnings)


def test_no_more_media_of_an_item_than_the_limit(scenario: Scenario) -> None:
    warnings: list[str] = []
    item = Item(media=(picture(0), picture(255), picture(255)))
    texts = describe_items(
        [item],
        scenario=scenario,
        llm=ScriptedModel(),
        captioners={"image": Brightness()},
        limits=Limits(media=1),
        warnings=warnings,
    )
    assert texts == ["dark"]
    assert warnings == ["an item has 3 media; the first 1 were looked at"]


def test_disliked_items_are_described_apart(scenario: Scenario) -> None:
    found = summary(Behavior(history=[Item(text="cat"), Item(text="spider", liked=False)]), scenario)
    assert (found.history, found.disliked) == (("cat",), ("spider",))


def test_only_the_users_own_messages_tell_of_the_user(scenario: Scenario) -> None:
    behavior = Behavior(
        conversation=[Message(text="I like frogs"), Message(text="Do you?", role="assistant")]
    )
    assert summary(behavior, scenario).conversation == ("I like frogs",)


def test_a_missing_conversation_is_made_from_the_template(scenario: Scenario) -> None:
    assert summary(Behavior(history=["cat, flat style"]), scenario).conversation == ("I use cat all day",)
    assert summary(Behavior(), scenario) == BehaviorSummary()
    assert not summary(Behavior(), scenario)


def test_control_characters_of_behaviour_go_no_further(scenario: Scenario) -> None:
    found = summary(Behavior(history=["c\u202eat\x00\nface"], conversation=["\u200b"]), scenario)
    assert found.history == ("cat face",)
    assert any("1 messages had nothing to describe" in warning for warning in found.warnings)


def test_warnings_never_repeat_what_the_user_wrote(scenario: Scenario) -> None:
    found = summary(Behavior(history=["secret " * 9_000, Item(text="", media=picture(0))]), scenario)
    assert found.warnings
    assert not any("secret" in warning for warning in found.warnings)


def test_the_observer_can_stop_it(scenario: Scenario) -> None:
    class Stop(Silent):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        summary(Behavior(history=[LONG]), scenario, observer=Stop())
