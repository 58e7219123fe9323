"""The last item supervises; nothing of it, and nothing after it, can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_media import pictures, sound

from pmg_conformance.reference import ReferenceLanguageModel
from pmg_scenarios.emoticons.scenario import EMOTICONS
from pmg_sdk import Behavior, Item, Limits
from pmg_sdk.describe import describe
from pmg_sdk.errors import BehaviorError
from pmg_sdk.training import split

PICTURES = pictures(4, size=(8, 8))

items = st.builds(
    Item,
    text=st.sampled_from(["", "red cat", "Red Cat ", "blue dog", "green frog", "grey owl"]),
    media=st.lists(st.sampled_from(PICTURES), max_size=2).map(tuple),
    liked=st.booleans(),
    id=st.sampled_from([None, "1", "2", "3", "4"]),
)
behaviors = st.builds(
    Behavior,
    history=st.lists(items, max_size=6).map(tuple),
    conversation=st.lists(st.sampled_from(["hello", "good night"]), max_size=2).map(tuple),
)


@given(behaviors)
def test_what_may_be_read_holds_nothing_of_the_target_or_after_it(behavior: Behavior) -> None:
    try:
        parted = split(behavior, "image")
    except BehaviorError:
        return
    target = parted.target
    assert target.liked
    assert parted.medium in target.media
    last = max(place for place, item in enumerate(behavior.history) if item is target)
    assert not any(item.liked and item.media for item in behavior.history[last + 1 :])
    earlier = behavior.history[:last]
    for item in parted.given.history:
        assert any(item is other for other in earlier), "an item after the target, or none of the log"
        assert target.id is None or item.id != target.id
        assert not target.text.strip() or item.text.strip().casefold() != target.text.strip().casefold()
        assert not set(item.media) & set(target.media)
    assert parted.given.conversation == behavior.conversation
    assert parted.given.liked or parted.given.conversation


@given(st.lists(st.sampled_from(["cat", "dog", "frog", "owl"]), min_size=2, max_size=6, unique=True))
def test_messages_from_templates_never_name_the_target(names: list[str]) -> None:
    behavior = Behavior(
        history=tuple(Item(text=name, media=(PICTURES[place % 4],)) for place, name in enumerate(names))
    )
    try:
        parted = split(behavior, "image")
    except BehaviorError:
        return
    assert EMOTICONS.conversation_templates
    summary = describe(
        parted.given, scenario=EMOTICONS, llm=ReferenceLanguageModel(), captioners={}, limits=Limits()
    )
    told = " ".join((*summary.history, *summary.conversation))
    assert names[-1] not in told
    assert any(name in told for name in names[:-1])


def test_the_last_liked_item_with_a_picture_supervises() -> None:
    one, two, three, _ = PICTURES
    behavior = Behavior(
        history=(
            Item(text="cat", media=(one,)),
            Item(text="dog", media=(two,)),
            Item(text="frog", media=(three,), liked=False),
            Item(text="a sound", media=(sound(),)),
            Item(text="owl"),
        )
    )
    parted = split(behavior, "image")
    assert (parted.target.text, parted.medium) == ("dog", two)
    assert [item.text for item in parted.given.history] == ["cat"]


def test_of_several_pictures_the_first_is_taken() -> None:
    one, two, *_ = PICTURES
    behavior = Behavior(history=("cat", Item(text="dog", media=(sound(), one, two))))
    assert split(behavior, "image").medium == one


def test_a_conversation_alone_may_stand_before_the_target() -> None:
    behavior = Behavior(history=(Item(media=(PICTURES[0],)),), conversation=("hello",))
    assert split(behavior, "image").given.history == ()


@pytest.mark.parametrize(
    ("behavior", "told"),
    [
        (Behavior(), "got none"),
        (Behavior(history=("cat", "dog")), "modality 'image'"),
        (Behavior(history=("cat", Item(media=(PICTURES[0],), liked=False))), "liked item"),
        (Behavior(history=(Item(media=(PICTURES[0],)),)), "before its last"),
        (Behavior(history=(Item(text="x", media=(PICTURES[0],)),) * 3), "before its last"),
        (Behavior(history=(Item(text="no", liked=False), Item(media=(PICTURES[0],)))), "before its last"),
    ],
    ids=["nothing", "no picture", "not liked", "nothing before", "the same again", "only disliked before"],
)
def test_a_sequence_without_target_or_beginning_is_refused(behavior: Behavior, told: str) -> None:
    with pytest.raises(BehaviorError, match=told):
        split(behavior, "image")
