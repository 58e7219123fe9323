"""z = alpha * log d_p + (1 - alpha) * log d_t, and the largest wins."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pmg_sdk import Candidate, Image, WeightPair, select
from pmg_sdk.errors import SelectionError
from pmg_sdk.selection import EPSILON, cosines, score

PICTURE = Image(np.zeros((2, 2, 3), dtype=np.uint8))

cosine = st.floats(-1, 1)
candidates = st.lists(
    st.builds(
        lambda weights, seed, d_p, d_t: Candidate(WeightPair(*weights), seed, PICTURE, d_p, d_t, 0.0),
        st.tuples(*[st.sampled_from([0.5, 1.0])] * 3),
        st.integers(0, 99),
        cosine,
        cosine,
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda candidate: (candidate.weights, candidate.seed),
)
vectors = arrays(np.float32, (5, 6), elements=st.floats(-4, 4, width=32))


def candidate(
    d_p: float | None, d_t: float, *, w_p: float = 1, w_s: float | None = None, seed: int = 0
) -> Candidate:
    return Candidate(WeightPair(w_p, 1, w_s), seed, PICTURE, d_p, d_t, 0.0)


def test_z_is_the_equation_of_the_paper() -> None:
    assert score(0.3, 0.2, 0.25) == pytest.approx(0.25 * log(0.3) + 0.75 * log(0.2))


def test_alpha_moves_the_balance_between_user_and_target() -> None:
    loved, accurate = candidate(0.4, 0.1), candidate(0.1, 0.4)
    assert select([loved, accurate], alpha=0.9).winner.preference_score == 0.4
    assert select([loved, accurate], alpha=0.1).winner.preference_score == 0.1


def test_without_preference_keywords_z_is_log_d_t() -> None:
    assert score(None, 0.2, 0.5) == log(0.2)


@given(candidates, st.floats(0, 1))
def test_the_winner_has_the_largest_z(given_: list[Candidate], alpha: float) -> None:
    selection = select(given_, alpha)
    assert selection.winner.z == max(each.z for each in selection.candidates)


@given(candidates, st.data())
def test_the_order_of_candidates_never_decides(given_: list[Candidate], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(given_))
    one, other = select(given_).winner, select(shuffled).winner
    assert (one.weights, one.seed, one.z) == (other.weights, other.seed, other.z)


def test_a_tie_goes_to_the_more_accurate_then_to_the_least_personalised() -> None:
    assert select([candidate(0.4, 0.1), candidate(0.1, 0.4)], alpha=0.5).winner.accuracy_score == 0.4
    assert select([candidate(0.2, 0.2, w_p=1), candidate(0.2, 0.2, w_p=0.5)]).winner.weights.preference == 0.5
    assert select([candidate(0.2, 0.2, w_s=1), candidate(0.2, 0.2, w_s=0.5)]).winner.weights.soft == 0.5


@given(vectors, vectors, st.sampled_from([2.0**-20, 0.5, 2.0, 2.0**20]))
def test_scaling_embeddings_changes_nothing(e_M: np.ndarray, texts: np.ndarray, factor: float) -> None:
    """A logit scale would not change the choice either, so there is none."""
    lengths = [*np.linalg.norm(e_M, axis=1), *np.linalg.norm(texts[:2], axis=1)]
    assume(min(lengths) > 1e-3)
    for text in texts[:2]:
        # Powers of two scale exactly, so equality is exact as well; float32's smallest would vanish.
        scaled = e_M.astype(np.float64) * factor, text.astype(np.float64) * factor
        assert np.array_equal(cosines(e_M, text), cosines(*scaled))


def test_a_cosine_beyond_the_logarithm_is_clamped_and_counted() -> None:
    selection = select([candidate(-0.3, 0.2), candidate(0.0, 0.2), candidate(0.1, 0.2)])
    assert selection.clamped == 2
    assert selection.candidates[0].z == pytest.approx(0.5 * log(EPSILON) + 0.5 * log(0.2))
    assert selection.winner.preference_score == 0.1


@pytest.mark.parametrize(("d_p", "d_t"), [(float("nan"), 0.2), (0.2, float("nan")), (0.2, float("inf"))])
def test_scores_that_are_not_numbers_are_refused(d_p: float, d_t: float) -> None:
    with pytest.raises(SelectionError, match="numbers"):
        select([candidate(0.1, 0.1), candidate(d_p, d_t)])


def test_selecting_from_nothing_is_refused() -> None:
    with pytest.raises(SelectionError, match="at least one"):
        select([])


@pytest.mark.parametrize("row", [[np.nan, 1], [np.inf, 1], [0, 0]])
def test_an_embedding_without_a_direction_is_refused(row: list[float]) -> None:
    with pytest.raises(SelectionError, match="finite, positive length"):
        cosines([row], [1, 1])


def test_embeddings_of_two_spaces_are_refused() -> None:
    with pytest.raises(SelectionError, match="one space"):
        cosines([[1, 0, 0]], [1, 0])
