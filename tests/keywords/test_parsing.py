"""Keywords out of whatever a language model writes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmg_sdk.parsing import MAX_CHARACTERS, MAX_WORDS, named_in, parse_keywords


@pytest.mark.parametrize(
    ("answer", "keywords"),
    [
        ("cat, dog", ["cat", "dog"]),
        ("cat; dog | frog", ["cat", "dog", "frog"]),
        ("1. cat\n2. dog\n3) frog", ["cat", "dog", "frog"]),
        ("- cat\n- dog", ["cat", "dog"]),
        ("\u2022 cat \u2022 dog", ["cat", "dog"]),
        ('"cat", \u201cdog\u201d, \u00abfrog\u00bb', ["cat", "dog", "frog"]),
        ("**cat**, _dog_.", ["cat", "dog"]),
        ("Keywords: cat, dog", ["cat", "dog"]),
        ("cat, Cat, CAT, and dog", ["cat", "dog"]),
        ("\u732b\u3001\u72ac\uff0c\u86d9", ["\u732b", "\u72ac", "\u86d9"]),
        (
            "\u043a\u043e\u0448\u043a\u0430, \u0642\u0637\u0629\u060c \u05d7\u05ea\u05d5\u05dc",
            ["\u043a\u043e\u0448\u043a\u0430", "\u0642\u0637\u0629", "\u05d7\u05ea\u05d5\u05dc"],
        ),
        ("\U0001f431, \U0001f469\u200d\U0001f680", ["\U0001f431", "\U0001f469\u200d\U0001f680"]),
        ("black and white outline style", ["black and white outline style"]),
        ("rock 'n' roll, jack-o-lantern", ["rock 'n' roll", "jack-o-lantern"]),
        ("cat\n\nThe user also said that dogs are fine", ["cat"]),
    ],
)
def test_lists_of_every_shape_and_script(answer: str, keywords: list[str]) -> None:
    assert parse_keywords(answer) == keywords


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   \n \t",
        "...",
        "I'm sorry, as an AI language model I cannot answer that question",
        "I don't know",
        "unknown, n/a, none",
        "The user seems to like many kinds of different animals",
        "https://example.com/x, www.bad.example, javascript:alert(1), example.com",
        "Which animal does the user like most?",
        "12, 7",
        "x" * 41,
    ],
)
def test_nonsense_gives_nothing(answer: str) -> None:
    assert parse_keywords(answer, question="Which animal does the user like most?") == []


def test_invisible_characters_and_bidi_overrides_are_removed() -> None:
    assert parse_keywords("c\u202eat\u0007, \u200bdog\u2066") == ["cat", "dog"]


def test_no_more_than_the_limit() -> None:
    assert parse_keywords("a1, b2, c3, d4", limit=2) == ["a1", "b2"]


@given(st.text(max_size=300))
def test_whatever_is_written_keywords_are_short_clean_and_different(answer: str) -> None:
    keywords = parse_keywords(answer)
    assert len(keywords) <= 16
    assert len({keyword.casefold() for keyword in keywords}) == len(keywords)
    for keyword in keywords:
        assert 0 < len(keyword) <= MAX_CHARACTERS
        assert len(keyword.split()) <= MAX_WORDS
        assert not any(
            unicodedata.category(char) == "Cc" or char in "\u202a\u202b\u202d\u202e\u2066\u2067"
            for char in keyword
        )


@given(
    st.lists(
        st.sampled_from(["cat", "red dog", "\u86d9", "\u0642\u0637\u0629", "\U0001f438"]),
        min_size=1,
        unique=True,
    )
)
def test_what_was_joined_by_commas_comes_apart_again(keywords: list[str]) -> None:
    assert parse_keywords(", ".join(keywords)) == keywords


def test_singular_and_plural_name_the_same_thing() -> None:
    texts = ["Cats are the best", "cat face, glossy 3D style", "a caterpillar"]
    assert named_in("cat", texts) == 2
    assert named_in("face cat", texts) == 1
    assert named_in("\U0001f431", ["my \U0001f431"]) == 1
