"""The whole matrix, and what it says when something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import pmg_conformance.kill_matrix
from pmg_conformance.check import find_check
from pmg_conformance.kill_matrix import KillMatrix, kill_matrix, main
from pmg_conformance.mutants import mutants

PAGE = Path(__file__).parents[2] / "docs" / "kill-matrix.md"


def matrix(killed: tuple[str, ...], *, reference: tuple[str, ...] = ()) -> KillMatrix:
    """One check, one mutant that is meant for it, one reference."""
    check = find_check("PMG-GEN-004")
    (ignores,) = (mutant for mutant in mutants("generator") if mutant.name == "ignores-the-seed")
    return KillMatrix("core", (check,), {ignores: killed}, {"generator R": reference}, seconds=0.0)


def test_complete_is_where_everything_wrong_is_killed_and_nothing_right() -> None:
    assert matrix(("PMG-GEN-004",)).complete
    assert matrix(("PMG-GEN-004",)).summary == "1 checks, 1 mutants, 1 references: complete"


def test_a_mutant_that_another_check_kills_survives_its_own() -> None:
    made = matrix(("PMG-GEN-005",))
    assert not made.complete
    assert [mutant.name for mutant in made.survivors] == ["ignores-the-seed"]
    assert made.toothless == ("PMG-GEN-004",)
    assert "**not PMG-GEN-004**, but PMG-GEN-005" in made.to_markdown()


def test_a_check_that_kills_a_reference_asks_too_much() -> None:
    made = matrix(("PMG-GEN-004",), reference=("PMG-GEN-004",))
    assert not made.complete
    assert made.refused == ("generator R by PMG-GEN-004",)
    assert "a reference is killed: generator R by PMG-GEN-004" in made.to_markdown()


@pytest.mark.parametrize(("killed", "status"), [(("PMG-GEN-004",), 0), ((), 1)])
def test_the_command_fails_where_the_matrix_is_incomplete(
    killed: tuple[str, ...], status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pmg_conformance.kill_matrix, "kill_matrix", lambda tier: matrix(killed))
    assert main(["--out", str(tmp_path / "page.md")]) == status
    assert (tmp_path / "page.md").read_text().startswith("# Kill matrix")


@pytest.mark.slow
def test_the_matrix_is_complete_and_its_page_is_of_today() -> None:
    made = kill_matrix()
    assert made.complete, made.summary
    assert made.to_markdown() == PAGE.read_text(encoding="utf-8")
