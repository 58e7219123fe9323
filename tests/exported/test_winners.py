"""What an export is for: the same pictures win, on the embedded models and the emoticons' sample users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pmg_onnx import OnnxScorer, OnnxTextEncoder
from pmg_onnx.export import export_scorer, export_text_encoder
from pmg_onnx.export.winners import Pair, check_winners, compare_winners
from pmg_sdk.cli.users import sample_messages
from pmg_sdk.errors import BackendError

SOME: dict[str, Any] = {"users": ["cat-lover", "robot-maker"], "messages": sample_messages("emoticons")[:2]}


def test_other_winners_are_refused_with_how_near_they_were() -> None:
    same = Pair("cat-lover", "hello", "1:1 seed 7", "1:1 seed 7", margin=0.1, shift=0.001)
    other = Pair("cat-lover", "bye", "1:1 seed 7", "1:0.5 seed 7", margin=0.002, shift=0.003)
    check_winners([same])
    with pytest.raises(BackendError, match=r"for 1, where the first was up to 0\.002.*moved by 0\.003"):
        check_winners([same, other])


@pytest.mark.slow
def test_the_text_encoder_chooses_the_same(published: Callable[[str], Path], tmp_path: Path) -> None:
    published("pmg:all-minilm-l6-v2")
    export_text_encoder("pmg:emoji-diffusion", tmp_path / "out")
    exported = OnnxTextEncoder(str(tmp_path / "out"), device="cpu")
    check_winners(list(compare_winners("emoticons", text_encoder=exported, **SOME)))


@pytest.mark.slow
def test_the_scorer_chooses_the_same(published: Callable[[str], Path], tmp_path: Path) -> None:
    published("pmg:all-minilm-l6-v2")
    export_scorer("pmg:emoji-clip", tmp_path / "out")
    exported = OnnxScorer(str(tmp_path / "out"), device="cpu")
    check_winners(list(compare_winners("emoticons", scorer=exported, **SOME)))


@pytest.mark.slow
def test_both_together_choose_the_same(published: Callable[[str], Path], tmp_path: Path) -> None:
    published("pmg:all-minilm-l6-v2")
    export_text_encoder("pmg:emoji-diffusion", tmp_path / "text")
    export_scorer("pmg:emoji-clip", tmp_path / "scorer")
    exported: dict[str, Any] = {
        "text_encoder": OnnxTextEncoder(str(tmp_path / "text"), device="cpu"),
        "scorer": OnnxScorer(str(tmp_path / "scorer"), device="cpu"),
    }
    check_winners(list(compare_winners("emoticons", **exported, **SOME)))
