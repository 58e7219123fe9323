"""A result on disk: the winner, the evidence, and all of it or nothing."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pmg_conformance.reference import ReferenceSoftPreferenceEncoder
from pmg_sdk import Behavior, Image, Item, PMGPipeline, Registry, Result, WeightPair
from pmg_sdk import result as result_module
from pmg_sdk.errors import StorageError
from pmg_sdk.result import check_result_folder
from pmg_sdk.sheet import contact_sheet, label

SECRET = "xyzzyplugh"
BEHAVIOR = Behavior(
    history=[f"a blue cat {SECRET}", "a blue frog", Item(text=f"a red robot {SECRET}", liked=False)],
    conversation=[f"my name is {SECRET}"],
)


@pytest.fixture
def result(pipeline: PMGPipeline) -> Result:
    return pipeline.generate(BEHAVIOR, "a happy dog")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_saved_result_is_the_winner_a_sheet_a_page_and_a_record(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.html",
        "result.json",
        "sheet.png",
        "winner.png",
    ]
    assert Image.open(folder / "winner.png") == result.media


def test_the_record_holds_every_number_of_the_choice(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "out")
    record = json.loads((folder / "result.json").read_text())
    assert record["config"] == result.config.to_json()
    assert record["config_digest"] == result.config.digest()
    assert record["models"]["generator"] == {"adapter": "reference", "origin": "pmg_conformance.reference"}
    assert [entry["text"] for entry in record["keywords"]["target"]] == list(result.target.keywords.texts)
    assert record["media"]["sha256"] == hashlib.sha256((folder / "winner.png").read_bytes()).hexdigest()
    for entry, candidate in zip(record["candidates"], result.candidates, strict=True):
        assert entry["weights"] == str(candidate.weights)
        assert (entry["d_p"], entry["d_t"], entry["z"]) == (
            candidate.preference_score,
            candidate.accuracy_score,
            candidate.z,
        )
    assert record["candidates"][record["winner"]]["z"] == result.winner.z


def test_nothing_of_the_behaviour_is_written(result: Result, tmp_path: Path) -> None:
    assert SECRET in str(result.preference.summary)
    folder = result.save(tmp_path / "out")
    for name, data in contents(folder).items():
        assert SECRET not in name
        assert SECRET.encode() not in data


def test_an_earlier_result_is_replaced_whole(result: Result, pipeline: PMGPipeline, tmp_path: Path) -> None:
    other = pipeline.generate(Behavior(), "a rocket")
    other.save(tmp_path / "out")
    (tmp_path / "out" / "preference.safetensors").write_bytes(b"left over")
    result.save(tmp_path / "out")
    assert Image.open(tmp_path / "out" / "winner.png") == result.media
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "report.html",
        "result.json",
        "sheet.png",
        "winner.png",
    ]


def test_a_folder_with_other_things_is_never_touched(result: Result, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StorageError, match="holds something else"):
        result.save(tmp_path)
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_a_result_with_other_things_beside_it_is_never_touched(result: Result, tmp_path: Path) -> None:
    """Many programs write a result.json; what else is in its folder is not ours to remove."""
    (tmp_path / "result.json").write_text("{}")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StorageError, match="holds something else"):
        result.save(tmp_path)
    assert contents(tmp_path) == {"result.json": b"{}", "thesis.tex": b"years of work"}


def test_a_file_in_the_way_is_named(result: Result, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="out"):
        result.save(tmp_path / "out")
    with pytest.raises(StorageError, match="out"):
        result.save(tmp_path / "out" / "deeper")
    assert contents(tmp_path) == {"out": b"a file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o555)
    with pytest.raises(StorageError, match="theirs may not be written to"):
        check_result_folder(tmp_path / "theirs" / "out" / "deeper")


def test_a_usable_folder_is_found_usable_and_left_as_it_is(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "earlier")
    before = contents(tmp_path)
    for usable in ("earlier", "new", "new/deeper"):
        check_result_folder(tmp_path / usable)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["earlier"]


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o077])
def test_the_umask_decides_who_may_read_it(result: Result, tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        folder = result.save(tmp_path / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~mask
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o666 & ~mask}


def test_writing_leaves_the_umask_of_the_process_alone(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread that makes a file meanwhile would make it writable for everybody."""
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("the umask was changed"))
    result.save(tmp_path / "out")


@pytest.mark.parametrize("limit", [0, 256, 1500])
def test_a_full_disk_leaves_what_was_there(
    result: Result, pipeline: PMGPipeline, tmp_path: Path, limit: int
) -> None:
    """The kernel refuses to write more than `limit` bytes to a file: picture, sheet or JSON fails."""
    pipeline.generate(Behavior(), "a rocket").save(tmp_path / "out")
    before = contents(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(StorageError, match="nothing was changed"):
            result.save(tmp_path / "out")
        with pytest.raises(StorageError, match="nothing was changed"):
            result.save(tmp_path / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("step", ["contact_sheet", "write_json"])
def test_ctrl_c_while_writing_leaves_what_was_there(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    result.save(tmp_path / "out")
    before = contents(tmp_path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(result_module, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        result.save(tmp_path / "out")
    assert contents(tmp_path) == before


def test_a_move_that_fails_halfway_is_taken_back(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old folder is already aside when the new one cannot take its place."""
    result.save(tmp_path / "out")
    before, rename = contents(tmp_path), os.rename

    def failing(source: Path, target: Path) -> None:
        if source.suffix == ".part":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(StorageError, match="No space left on device"):
        result.save(tmp_path / "out")
    assert contents(tmp_path) == before


def test_the_current_folder_may_be_the_result(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result.save(".")
    assert (tmp_path / "here" / "winner.png").is_file()


def test_soft_embeddings_are_saved_for_the_replay(plugins: Registry, tmp_path: Path) -> None:
    pipeline = PMGPipeline.from_scenario(
        "reference", plugins=plugins, soft_preference=ReferenceSoftPreferenceEncoder()
    )
    folder = pipeline.generate(BEHAVIOR, "a dog").save(tmp_path / "out")
    assert (folder / "preference.safetensors").is_file()


def test_every_candidate_is_labelled_and_the_winner_named(result: Result) -> None:
    lines = label(result.winner, wins=True)
    assert lines[0] == f"w_p:w_t  {result.winner.weights}"
    assert f"{result.winner.preference_score:.3f}" in lines[1]
    assert f"{result.winner.accuracy_score:.3f}" in lines[1]
    assert lines[2] == f"z  {result.winner.z:.3f}  winner"
    assert "d_p  none" in label(replace(result.winner, preference_score=None))[1]


def test_a_soft_weight_of_its_own_is_labelled(result: Result) -> None:
    assert label(replace(result.winner, weights=WeightPair(1, 0.75, 0.5)))[0] == "w_p:w_t:w_s  1:0.75:0.5"


def test_the_sheet_shows_every_candidate_in_its_place(result: Result) -> None:
    sheet = contact_sheet(result.selection).pixels
    height, width = sheet.shape[0], sheet.shape[1] // len(result.candidates)
    for index, candidate in enumerate(result.candidates):
        cell = sheet[:, index * width : (index + 1) * width]
        picture = cell[10:202, 10:202].astype(float)
        expected = candidate.media.picture().pixels.reshape(-1, 3).mean(axis=0)
        assert np.allclose(picture.mean(axis=(0, 1)), expected, atol=2)
        assert (cell[206:height] < 128).any(axis=2).sum() > 100, "the label has ink"


def test_the_winner_alone_is_framed(result: Result) -> None:
    sheet = contact_sheet(result.selection).pixels
    width = sheet.shape[1] // len(result.candidates)
    middles = [index * width + width // 2 for index in range(len(result.candidates))]
    framed = [bool((sheet[3, middle] != 255).any()) for middle in middles]
    assert framed == [candidate is result.winner for candidate in result.candidates]


def test_more_than_six_candidates_take_several_rows(plugins: Registry) -> None:
    pipeline = PMGPipeline.from_scenario("reference", plugins=plugins, seeds_per_pair=3)
    sheet = contact_sheet(pipeline.generate(BEHAVIOR, "a dog").selection)
    assert sheet.size == (6 * 212, 3 * 270)


def test_pictures_of_any_shape_fit(result: Result) -> None:
    wide = Image(np.zeros((3, 500, 3), dtype=np.uint8))
    candidates = tuple(replace(candidate, media=wide) for candidate in result.candidates)
    contact_sheet(replace(result.selection, candidates=candidates, winner=candidates[0]))
