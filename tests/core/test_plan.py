"""What the generator is asked for: the grid, the seeds, the parts and their weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmg_conformance.reference import ReferenceGenerator, ReferenceSoftPreferenceEncoder, ReferenceTextEncoder
from pmg_sdk import Keyword, Keywords, PMGConfig, Target, UserPreference, WeightPair
from pmg_sdk.errors import ConfigError, InputError, SpaceMismatch
from pmg_sdk.interfaces import ConditioningKind
from pmg_sdk.plan import Plan, noise_seed, plan, weighted_text


def keywords(*texts: str) -> Keywords:
    return Keywords(tuple(Keyword(text, "any") for text in texts))


USER = UserPreference(keywords("blue", "minimal"))
CAT = Target(keywords("cat"))


def planned(
    preference: UserPreference = USER,
    target: Target = CAT,
    generator: ReferenceGenerator | None = None,
    seed: int = 0,
    **settings: object,
) -> Plan:
    generator = generator or ReferenceGenerator()
    return plan(
        preference,
        target,
        config=PMGConfig(scenario="reference", **settings),
        spec=generator.spec,
        encoder=generator.text_encoder,
        seed=seed,
    )


def test_there_is_one_draft_for_every_pair_and_noise() -> None:
    drafts = planned(weights=["1:1", "0.5:1"], seeds_per_pair=3).drafts
    assert [str(draft.weights) for draft in drafts] == ["1:1", "0.5:1"] * 3
    assert len({draft.request.seed for draft in drafts}) == 3


def test_all_pairs_of_one_noise_share_its_seed() -> None:
    """So that candidates differ by their weights alone."""
    assert len({draft.request.seed for draft in planned().drafts}) == 1


@given(st.integers(0, 2**63 - 1), st.integers(0, 63))
def test_a_noise_seed_is_a_pure_function_of_seed_and_index(seed: int, index: int) -> None:
    assert noise_seed(seed, index) == noise_seed(seed, index)
    assert 0 <= noise_seed(seed, index) < 2**32


def test_noise_seeds_are_the_same_in_every_version() -> None:
    assert [noise_seed(0, 0), noise_seed(0, 1), noise_seed(1, 0)] == [1488800575, 442209699, 3170225117]


def test_tokens_are_the_weighted_parts_in_order() -> None:
    encoder = ReferenceTextEncoder()
    E_p, E_t = encoder.encode(["blue, minimal", "cat"])
    (draft,) = planned(weights=["0.5:1"]).drafts
    assert draft.request.conditioning is not None
    expected = np.concatenate([0.5 * E_p.embeds, E_t.embeds])
    assert np.allclose(draft.request.conditioning.embeds, expected)


def test_a_part_of_weight_0_is_neither_token_nor_text() -> None:
    only_target, only_user = planned(weights=["0:1", "1:0"]).drafts
    assert only_target.request.conditioning is not None
    assert only_target.request.conditioning.tokens == 1
    assert only_target.request.text == "cat"
    assert only_user.request.text == "blue, minimal"


def test_what_the_user_turned_down_becomes_the_negative() -> None:
    preference = replace(USER, avoided=keywords("red"))
    request = planned(preference).drafts[0].request
    assert request.negative is not None
    assert np.array_equal(request.negative.embeds, ReferenceTextEncoder().encode(["red"])[0].embeds)
    assert request.negative_text == "red"


def test_what_is_asked_for_is_never_stayed_away_from() -> None:
    made = planned(replace(USER, avoided=keywords("Cat", "red")))
    assert made.drafts[0].request.negative_text == "red"
    assert any("turned down before" in warning for warning in made.warnings)


def test_a_generator_without_negatives_says_that_dislikes_are_unused() -> None:
    preference = replace(USER, avoided=keywords("red"))
    made = planned(preference, generator=ReferenceGenerator(negative=False))
    assert made.drafts[0].request.negative is None
    assert any("disliked items are not used" in warning for warning in made.warnings)


def test_keywords_beyond_the_limit_are_dropped_and_named() -> None:
    many = UserPreference(keywords("blue", "minimal", "cool", "happy"))
    made = planned(many, generator=ReferenceGenerator(max_tokens=2))
    assert made.dropped.preference.texts == ("cool", "happy")
    assert made.keywords.preference == many.keywords
    assert any("cool, happy" in warning for warning in made.warnings)
    assert made.drafts[0].request.conditioning is not None
    assert made.drafts[0].request.conditioning.tokens == 2 + 1


def test_of_a_target_that_never_fits_the_beginning_is_shown() -> None:
    made = planned(target=Target(keywords("a very long name")), generator=ReferenceGenerator(max_tokens=2))
    assert made.drafts[0].request.text.startswith("a very long name")
    assert made.drafts[0].request.conditioning is not None
    assert made.drafts[0].request.conditioning.tokens == 2 + 2


def test_soft_and_hard_embeddings_stand_side_by_side() -> None:
    E_m = ReferenceSoftPreferenceEncoder(length=3).encode(["likes calm things"])[0]
    (draft,) = planned(replace(USER, soft=E_m), weights=["1:1"]).drafts
    conditioning = draft.request.conditioning
    assert conditioning is not None
    assert conditioning.tokens == 3 + 2 + 1
    assert np.array_equal(conditioning.embeds[:3], E_m.embeds)


@pytest.mark.parametrize(("switch", "tokens"), [("use_soft", 2 + 1), ("use_keywords", 3 + 1)])
def test_either_half_of_the_preference_can_be_switched_off(switch: str, tokens: int) -> None:
    E_m = ReferenceSoftPreferenceEncoder(length=3).encode(["likes calm things"])[0]
    (draft,) = planned(replace(USER, soft=E_m), weights=["1:1"], **{switch: False}).drafts
    assert draft.request.conditioning is not None
    assert draft.request.conditioning.tokens == tokens


SOFT_USER = replace(USER, soft=ReferenceSoftPreferenceEncoder(length=3).encode(["likes calm things"])[0])
POOLED_USER = replace(
    USER, soft=ReferenceSoftPreferenceEncoder(conditioning="pooled").encode(["likes calm things"])[0]
)


def grid(made: Plan) -> list[str]:
    return [str(draft.weights) for draft in made.drafts]


def test_soft_embeddings_can_have_a_weight_of_their_own() -> None:
    """(w_s * E_m, w_p * E_k, w_t * E^t)."""
    E_m = SOFT_USER.soft
    E_k, E_t = ReferenceTextEncoder().encode(["blue, minimal", "cat"])
    (draft,) = planned(SOFT_USER, weights=["0.5:1:0.25"]).drafts
    assert E_m is not None
    assert draft.request.conditioning is not None
    expected = np.concatenate([0.25 * E_m.embeds, 0.5 * E_k.embeds, E_t.embeds])
    assert np.allclose(draft.request.conditioning.embeds, expected)


def test_soft_embeddings_weigh_what_the_keywords_do_unless_told_otherwise() -> None:
    two, three = (
        planned(SOFT_USER, weights=["0.5:1"]).drafts,
        planned(SOFT_USER, weights=["0.5:1:0.5"]).drafts,
    )
    assert two[0].request.conditioning is not None
    assert three[0].request.conditioning is not None
    assert np.array_equal(two[0].request.conditioning.embeds, three[0].request.conditioning.embeds)


@pytest.mark.parametrize(
    ("weights", "tokens"), [("1:1:0", 2 + 1), ("0:1:1", 3 + 1), ("1:0:1", 3 + 2), ("0:0:1", 3)]
)
def test_soft_embeddings_and_keywords_are_left_out_one_by_one(weights: str, tokens: int) -> None:
    (draft,) = planned(SOFT_USER, weights=[weights]).drafts
    assert draft.request.conditioning is not None
    assert draft.request.conditioning.tokens == tokens


def test_the_pooled_vector_is_that_of_the_texts_whatever_the_soft_weight() -> None:
    made = planned(SOFT_USER, weights=["1:0.5:0", "1:0.5", "1:0.5:2"])
    vectors = [draft.request.conditioning.pooled for draft in made.drafts if draft.request.conditioning]
    assert all(vector is not None and np.array_equal(vector, vectors[0]) for vector in vectors)


def test_of_soft_embeddings_alone_the_pooled_vector_is_the_targets() -> None:
    (E_t,) = ReferenceTextEncoder().encode(["cat"])
    (draft,) = planned(SOFT_USER, weights=["1:0.5"], use_keywords=False).drafts
    assert draft.request.conditioning is not None
    assert draft.request.conditioning.pooled is not None
    assert E_t.pooled is not None
    assert np.allclose(draft.request.conditioning.pooled, E_t.pooled, atol=1e-4)


@pytest.mark.parametrize(("kind", "use_soft"), [("sequence", False), ("text", True), ("pooled", True)])
def test_where_soft_embeddings_do_not_condition_their_weight_makes_no_second_candidate(
    kind: ConditioningKind, use_soft: bool
) -> None:
    made = planned(
        SOFT_USER,
        generator=ReferenceGenerator(conditioning=kind),
        weights=["1:1:0.5", "0.5:1", "1:1", "1:1:2"],
        use_soft=use_soft,
    )
    assert grid(made) == ["1:1", "0.5:1"]
    assert any("2 of 4 weight pairs" in warning for warning in made.warnings)


def test_a_user_without_soft_embeddings_gets_every_candidate_once() -> None:
    assert grid(planned(USER, weights=["1:1:0", "1:1", "1:0.5:1", "0:0:1"])) == ["1:1", "1:0.5"]


def test_where_keywords_do_not_condition_the_soft_weight_alone_counts() -> None:
    made = planned(SOFT_USER, weights=["1:1:0.5", "0.5:1", "0.25:1"], use_keywords=False)
    assert grid(made) == ["0.5:1", "0.25:1"]


def test_pairs_that_all_condition_nothing_leave_one_unpersonalised_candidate() -> None:
    made = planned(USER, weights=["0:0:1", "0:0:2"])
    assert grid(made) == ["0:1"]
    assert any("not personalised" in warning for warning in made.warnings)


def test_a_plan_without_repeats_says_nothing() -> None:
    assert not planned(SOFT_USER, weights=["1:1", "1:1:0.5"]).warnings


@pytest.mark.parametrize("kind", ["text", "pooled"])
def test_a_generator_that_cannot_take_soft_embeddings_says_so(kind: ConditioningKind) -> None:
    made = planned(SOFT_USER, generator=ReferenceGenerator(conditioning=kind))
    assert any("soft preference embeddings are not used" in warning for warning in made.warnings)


def test_soft_embeddings_of_another_space_are_refused() -> None:
    E_m = ReferenceSoftPreferenceEncoder(space="elsewhere").encode(["x"])[0]
    with pytest.raises(SpaceMismatch, match=r"'reference' were expected.*'elsewhere'.*use_soft=false"):
        planned(replace(USER, soft=E_m))


def test_soft_embeddings_that_are_switched_off_may_be_of_any_space() -> None:
    E_m = ReferenceSoftPreferenceEncoder(space="elsewhere").encode(["x"])[0]
    assert planned(replace(USER, soft=E_m), use_soft=False).drafts


def test_nothing_known_means_one_unpersonalised_candidate_a_noise() -> None:
    made = planned(UserPreference(Keywords()), seeds_per_pair=2)
    assert [draft.weights for draft in made.drafts] == [WeightPair(0, 1)] * 2
    assert any("not personalised" in warning for warning in made.warnings)


def test_keywords_that_may_not_condition_are_not_said_to_be_unknown() -> None:
    """They still score: z holds log d_p, and the warning must not deny it."""
    made = planned(use_keywords=False)
    assert [draft.weights for draft in made.drafts] == [WeightPair(0, 1)]
    assert made.keywords.preference
    assert [warning for warning in made.warnings if "not personalised" in warning] == [
        "no preference keyword conditions the generator: the result is not personalised"
    ]


def test_weighing_from_empty_reaches_the_generator() -> None:
    empty, E_t = ReferenceTextEncoder().encode(["", "cat"])
    (draft,) = planned(UserPreference(keywords("blue")), weights=["1:0.5"], weighting="from_empty").drafts
    assert draft.request.conditioning is not None
    E_0, cat = empty.embeds[0], draft.request.conditioning.embeds[1]
    assert np.allclose(cat, E_0 + 0.5 * (E_t.embeds[0] - E_0))


def test_a_pooled_generator_gets_the_weighted_mean() -> None:
    E_p, E_t = ReferenceTextEncoder().encode(["blue, minimal", "cat"])
    (draft,) = planned(generator=ReferenceGenerator(conditioning="pooled"), weights=["1:0.5"]).drafts
    assert draft.request.conditioning is not None
    pooled = draft.request.conditioning.pooled
    assert pooled is not None
    assert E_p.pooled is not None
    assert E_t.pooled is not None
    direction = E_p.pooled + 0.5 * E_t.pooled
    assert np.allclose(pooled / np.linalg.norm(pooled), direction / np.linalg.norm(direction), atol=1e-5)


@pytest.mark.parametrize(
    ("weights", "w_m", "w_k", "w_t"),
    [("1:0.5", 1, 1, 0.5), ("1:0.5:2", 2, 1, 0.5), ("0:1:1", 1, 0, 1), ("0.5:1:0", 0, 0.5, 1)],
)
def test_a_soft_vector_is_weighed_beside_keywords(weights: str, w_m: float, w_k: float, w_t: float) -> None:
    generator = ReferenceGenerator(conditioning="pooled")
    made = planned(POOLED_USER, generator=generator, weights=[weights])
    E_k, E_t = ReferenceTextEncoder().encode(["blue, minimal", "cat"])
    vectors = [part.pooled for part in (POOLED_USER.soft, E_k, E_t) if part is not None]
    parts = [(v, w) for v, w in zip(vectors, (w_m, w_k, w_t), strict=True) if v is not None]
    direction = sum(w * v for v, w in parts)
    length = sum(w * np.linalg.norm(v) for v, w in parts) / (w_m + w_k + w_t)
    conditioning = made.drafts[0].request.conditioning
    assert conditioning is not None
    assert conditioning.pooled is not None
    assert np.allclose(conditioning.pooled, direction * length / np.linalg.norm(direction), atol=1e-5)
    assert not made.warnings


def test_a_soft_vector_alone_keeps_its_length_at_every_weight() -> None:
    generator = ReferenceGenerator(conditioning="pooled")
    made = planned(POOLED_USER, generator=generator, weights=["1:0", "0.5:0"], use_keywords=False)
    assert POOLED_USER.soft is not None
    for draft in made.drafts:
        assert draft.request.conditioning is not None
        assert np.allclose(draft.request.conditioning.pooled, POOLED_USER.soft.pooled, atol=1e-6)


def test_a_generator_that_takes_tokens_says_that_it_takes_no_soft_vector() -> None:
    made = planned(POOLED_USER, weights=["1:1"])
    assert any("takes tokens: the soft preference embeddings are not used" in w for w in made.warnings)
    one, other = (each.drafts[0].request.conditioning for each in (made, planned(weights=["1:1"])))
    assert one is not None
    assert other is not None
    assert np.array_equal(one.pooled, other.pooled)


def test_a_generator_that_takes_only_text_gets_no_embeddings() -> None:
    made = planned(generator=ReferenceGenerator(conditioning="text"), weights=["1:0.5"])
    assert made.drafts[0].request.conditioning is None
    assert made.drafts[0].request.text == "blue, minimal, blue, minimal, cat"


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ("1:1", "cat, blue"),
        ("1:0.5", "blue, blue, cat"),
        ("0.5:1", "cat, cat, blue"),
        ("0.75:1", "cat, blue"),
        ("0.01:1", "cat, cat, cat, blue"),
        ("1:0", "blue"),
        ("0:1", "cat"),
    ],
)
def test_weights_become_order_and_repetition_of_words(weights: str, text: str) -> None:
    assert weighted_text(keywords("blue"), keywords("cat"), WeightPair.parse(weights)) == text


def test_a_target_without_keywords_is_refused() -> None:
    with pytest.raises(InputError, match="Describe what is to be shown"):
        planned(target=Target(Keywords()))


def test_an_encoder_of_another_space_is_refused() -> None:
    generator = ReferenceGenerator()
    with pytest.raises(SpaceMismatch, match=r"'reference' was expected.*'elsewhere'"):
        plan(
            USER,
            CAT,
            config=PMGConfig(scenario="s"),
            spec=generator.spec,
            encoder=ReferenceTextEncoder(space="elsewhere"),
            seed=0,
        )


def test_a_generator_without_an_encoder_needs_one() -> None:
    with pytest.raises(ConfigError, match="'text_encoder'"):
        plan(USER, CAT, config=PMGConfig(scenario="s"), spec=ReferenceGenerator().spec, encoder=None, seed=0)
