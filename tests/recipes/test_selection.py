"""What the selection measure says of records, without making pictures."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

from recipes.emoji.selection import summarise

GRID = ("0.5:1.5", "1:1", "1.5:0.5")


def record(winner: str, d_p: float, d_t: float, user: str = "ann") -> dict[str, Any]:
    """An answer to a user, whose unpersonalised picture has d_p 0.1 and d_t 0.5."""
    seen = {"subject": True, "style": True, "expression": True}
    return {
        "user": user,
        "message": "hello",
        "winner": winner,
        "candidates": [{"weights": weights, "d_p": d_p, "d_t": d_t, "z": -1.0} for weights in GRID],
        "personalised": {"d_p": d_p, "d_t": d_t, "seen": seen},
        "unpersonalised": {"d_p": 0.1, "d_t": 0.5, "seen": {**seen, "style": False}},
    }


def test_a_better_match_of_the_user_at_little_cost_meets_every_requirement() -> None:
    report = summarise([record("1:1", 0.5, 0.49), record("1.5:0.5", 0.4, 0.48, "bob")], GRID)

    assert report["wins_by_weights"] == {"0.5:1.5": 0, "1:1": 1, "1.5:0.5": 1}
    assert all(report["required"].values())
    assert report["difference"]["style"]["mean"] == 1.0


def test_one_end_of_the_grid_that_always_wins_is_told() -> None:
    report = summarise([record("1.5:0.5", 0.5, 0.5)] * 3, GRID)

    assert not report["required"]["winner_not_always_last"]
    assert report["required"]["winner_not_always_first"]


def test_a_target_that_suffers_more_than_5_percent_is_told() -> None:
    report = summarise([record("1:1", 0.5, 0.45)] * 3, GRID)

    assert report["difference"]["d_t_relative"]["mean"] == pytest.approx(-0.1)
    assert not report["required"]["d_t_loses_at_most_5_percent"]


def test_several_noises_of_a_pair_count_as_one_pair() -> None:
    report = summarise(
        [record("1:1", 0.5, 0.4), record("1:1", 0.3, 0.6), record("1:1", 0.2, 0.5, "bob")], GRID
    )

    assert (report["pairs"], report["answers"]) == (2, 3)
    assert report["personalised"]["d_p"] == pytest.approx((0.4 + 0.2) / 2)
