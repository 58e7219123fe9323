"""(w_p * E^p, w_t * E^t): how parts are weighed and joined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pmg_sdk import Conditioning, WeightPair
from pmg_sdk.conditioning import Weighting, join, weigh
from pmg_sdk.errors import InputError, SpaceMismatch

weights = st.floats(0, 4, width=32)
values = st.floats(-8, 8, width=32)


@st.composite
def conditionings(draw: st.DrawFn, pooled: bool = True) -> Conditioning:
    tokens = draw(st.integers(1, 5))
    embeds = draw(arrays(np.float32, (tokens, 3), elements=values))
    return Conditioning(embeds, "s", draw(arrays(np.float32, 2, elements=values)) if pooled else None)


@given(conditionings(), conditionings(), weights.filter(bool), weights.filter(bool))
def test_join_scales_every_part_and_keeps_the_order(
    E_p: Conditioning, E_t: Conditioning, w_p: float, w_t: float
) -> None:
    joined = join([(E_p, w_p), (E_t, w_t)])
    assert np.array_equal(joined.embeds[: E_p.tokens], E_p.embeds * np.float32(w_p))
    assert np.array_equal(joined.embeds[E_p.tokens :], E_t.embeds * np.float32(w_t))


@given(conditionings(), conditionings())
def test_a_part_of_weight_0_leaves_no_token_behind(E_p: Conditioning, E_t: Conditioning) -> None:
    joined = join([(E_p, 0), (E_t, 1)])
    assert np.array_equal(joined.embeds, E_t.embeds)
    assert joined.pooled is not None
    assert E_t.pooled is not None
    assert np.allclose(joined.pooled, E_t.pooled, atol=1e-5)


@given(conditionings(), conditionings(), weights.filter(lambda w: w > 1e-3), st.floats(0.25, 4))
def test_only_the_ratio_of_weights_moves_the_pooled_vector(
    E_p: Conditioning, E_t: Conditioning, w: float, factor: float
) -> None:
    one, other = join([(E_p, w), (E_t, 1)]), join([(E_p, w * factor), (E_t, factor)])
    assert one.pooled is not None
    assert other.pooled is not None
    assert np.allclose(one.pooled, other.pooled, atol=1e-3)


@given(conditionings())
def test_the_pooled_vector_of_equal_parts_is_theirs(E: Conditioning) -> None:
    joined = join([(E, 0.5), (E, 2)])
    assert joined.pooled is not None
    assert E.pooled is not None
    assert np.allclose(joined.pooled, E.pooled, atol=1e-4)


@given(conditionings(), conditionings(), weights)
def test_weighing_from_empty_moves_along_the_line_from_the_empty_text(
    E: Conditioning, empty: Conditioning, w: float
) -> None:
    weighed = weigh(E, w, empty=empty, how="from_empty")
    origin = empty.embeds[np.minimum(np.arange(E.tokens), empty.tokens - 1)]
    assert np.allclose(weighed.embeds - origin, w * (E.embeds - origin), atol=1e-3)


@given(conditionings(), conditionings(), weights.filter(lambda w: w > 1e-3))
def test_one_part_from_empty_is_joined_as_it_is_weighed(
    E: Conditioning, empty: Conditioning, w: float
) -> None:
    weighed, joined = (
        weigh(E, w, empty=empty, how="from_empty"),
        join([(E, w)], empty=empty, how="from_empty"),
    )
    assert E.pooled is not None
    assert empty.pooled is not None
    assert weighed.pooled is not None
    assert np.array_equal(joined.embeds, weighed.embeds)
    assert joined.pooled is not None
    assert np.array_equal(joined.pooled, weighed.pooled)
    assert np.allclose(joined.pooled - empty.pooled, w * (E.pooled - empty.pooled), atol=1e-3)


@given(conditionings(), weights.filter(lambda w: w > 1e-3))
def test_one_part_scaled_keeps_its_pooled_vector(E: Conditioning, w: float) -> None:
    joined = join([(E, w)])
    assert joined.pooled is not None
    assert E.pooled is not None
    assert np.allclose(joined.pooled, E.pooled, atol=1e-4)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("scale", 2.5),  # (1 * 1 + 3 * 3) / (1 + 3)
        ("from_empty", 3.0),  # the mean of 2 + 1 * (1 - 2) and 2 + 3 * (3 - 2)
    ],
)
def test_a_space_of_pooled_vectors_alone_needs_no_tokens(how: Weighting, expected: float) -> None:
    one, three, empty = (
        Conditioning(np.empty((0, 3), dtype=np.float32), "s", np.full(2, value, dtype=np.float32))
        for value in (1, 3, 2)
    )
    joined = join([(one, 1), (three, 3)], empty=empty, how=how)
    assert joined.tokens == 0
    assert joined.pooled is not None
    assert np.allclose(joined.pooled, expected)


@pytest.mark.parametrize("how", ["scale", "from_empty"])
def test_weight_1_changes_nothing(how: str) -> None:
    E = Conditioning(np.ones((2, 3), dtype=np.float32), "s")
    assert weigh(E, 1.0, empty=E, how=how).embeds is E.embeds  # type: ignore[arg-type]


@given(conditionings(pooled=False), conditionings(), conditionings(), weights)
def test_a_part_without_a_pooled_vector_has_no_say_in_it(
    E_m: Conditioning, E_k: Conditioning, E_t: Conditioning, w_s: float
) -> None:
    with_soft, without = join([(E_m, w_s), (E_k, 0.5), (E_t, 1)]), join([(E_k, 0.5), (E_t, 1)])
    assert with_soft.pooled is not None
    assert without.pooled is not None
    assert np.array_equal(with_soft.pooled, without.pooled)


@given(conditionings(pooled=False))
def test_without_any_pooled_vector_there_is_none(E_m: Conditioning) -> None:
    assert join([(E_m, 1), (E_m, 0.5)]).pooled is None


def test_parts_of_two_spaces_never_mix() -> None:
    a, b = (Conditioning(np.ones((1, 3), dtype=np.float32), space) for space in "ab")
    with pytest.raises(SpaceMismatch, match=r"\['a', 'b'\]"):
        join([(a, 1), (b, 1)])


@given(conditionings())
def test_a_part_without_tokens_leaves_the_tokens_of_others_alone(E_k: Conditioning) -> None:
    """Its width says nothing: a pooled vector may be wider than tokens are."""
    E_m = Conditioning(np.zeros((0, 2), np.float32), "s", np.ones(2, np.float32))
    assert np.array_equal(join([(E_m, 1), (E_k, 1)]).embeds, E_k.embeds)


def test_nothing_to_join_is_an_error() -> None:
    E = Conditioning(np.ones((1, 3), dtype=np.float32), "s")
    for parts in ([], [(E, 0.0)]):
        with pytest.raises(InputError, match="above 0"):
            join(parts)


def test_weighing_from_empty_needs_the_empty_text() -> None:
    E = Conditioning(np.ones((1, 3), dtype=np.float32), "s")
    with pytest.raises(InputError, match="empty text"):
        weigh(E, 0.5, how="from_empty")


def test_weighing_a_pooled_vector_from_empty_needs_that_of_the_empty_text() -> None:
    tokens = np.ones((1, 3), dtype=np.float32)
    E, empty = Conditioning(tokens, "s", np.ones(2, dtype=np.float32)), Conditioning(tokens, "s")
    with pytest.raises(InputError, match="pooled vector of the empty text"):
        join([(E, 0.5)], empty=empty, how="from_empty")


numbers = st.floats(0, allow_infinity=False)
pairs = st.tuples(numbers, numbers, st.none() | numbers).filter(any).map(lambda values: WeightPair(*values))


@given(pairs)
def test_a_weight_pair_survives_its_own_text(pair: WeightPair) -> None:
    assert WeightPair.parse(str(pair)) == pair


@given(pairs, pairs)
def test_equal_pairs_and_only_those_have_one_spelling(one: WeightPair, other: WeightPair) -> None:
    assert (str(one) == str(other)) == (one == other)
    assert (hash(one) == hash(other)) or one != other


def test_pairs_are_ordered_by_preference_then_target_then_soft() -> None:
    ordered = [WeightPair.parse(text) for text in ("0.5:1", "1:0.5:2", "1:1:0", "1:1", "1:1:2")]
    assert sorted([ordered[index] for index in (3, 0, 4, 2, 1)]) == ordered


def test_the_soft_weight_is_that_of_the_preference_unless_it_is_given() -> None:
    assert WeightPair(0.5, 1).soft == 0.5
    assert WeightPair(0.5, 1) == WeightPair(0.5, 1, 0.5)
    assert WeightPair.parse("0.5:1:0").soft == 0


@pytest.mark.parametrize(
    ("text", "spelling", "form"),
    [
        ("1.0:0.50", "1:0.5", "w_p:w_t"),
        ("1:0.5:1", "1:0.5", "w_p:w_t"),
        ("1:0.5:.25", "1:0.5:0.25", "w_p:w_t:w_s"),
        ("0:0:1", "0:0:1", "w_p:w_t:w_s"),
        ("-0:1", "0:1", "w_p:w_t"),
        ("0.123456789:1", "0.123456789:1", "w_p:w_t"),
    ],
)
def test_a_pair_has_one_spelling_and_says_what_its_numbers_are(text: str, spelling: str, form: str) -> None:
    pair = WeightPair.parse(text)
    assert (str(pair), pair.form) == (spelling, form)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1:", "a:b", "nan:1", "-1:1", "0:0", "inf:1", "1:1:", "1:1:-1", "1:1:nan", "0:0:0", "1:1:1:1"],
)
def test_what_is_no_weight_pair_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        WeightPair.parse(text)


@pytest.mark.parametrize(
    "embeds", [np.ones(3, dtype=np.float32), np.ones((1, 3)), np.ones((1, 1, 3), dtype=np.float32)]
)
def test_embeds_are_float32_tokens(embeds: np.ndarray) -> None:
    with pytest.raises(InputError, match="float32 embeds"):
        Conditioning(embeds, "s")
