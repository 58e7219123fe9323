"""`pmg export`, and what is said where a package is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pmg_onnx.missing import expect
from pmg_sdk.cli import main
from pmg_sdk.errors import MissingExtra


def test_an_export_says_how_near_it_is_and_how_it_is_used(clip_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["export", "text-encoder", "--from", str(clip_model), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "space: clip-32-" in done.stdout
    assert "against the original: largest difference" in done.stdout
    assert f"--set text_encoder.adapter=onnx --set text_encoder.options.model={out}" in done.stdout


def test_a_scorer_in_eight_bits_as_json(scorer_model: Path, tmp_path: Path) -> None:
    words = ["export", "scorer", "--from", str(scorer_model), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*words, "--precision", "int8", "--json"])
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert (record["kind"], record["precision"]) == ("scorer", "int8")
    assert record["parity"]["min_cosine"] >= 0.995


def test_a_source_that_is_not_there_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    words = ["export", "text-encoder", "--from", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: a model folder was expected")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_said_with_the_extra_that_brings_it() -> None:
    with pytest.raises(MissingExtra, match=r'no_such_package is not installed.*"pmg-sdk\[export\]"'):
        expect("no_such_package", extra="export")
