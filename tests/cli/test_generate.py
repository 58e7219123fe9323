"""`pmg generate`, `pmg replay` and `pmg preference`, on the reference adapters."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pmg_conformance.reference import ReferenceGenerator

from .conftest import Pmg

RUN = ("generate", "--scenario", "reference", "--message", "a red sun")


@pytest.fixture
def user(tmp_path: Path) -> str:
    """A behaviour file."""
    path = tmp_path / "user.json"
    path.write_text(json.dumps({"history": ["blue cat", "blue cat in the snow", "cat"]}))
    return str(path)


def test_it_leaves_the_winner_the_sheet_and_the_record(pmg: Pmg, user: str) -> None:
    done = pmg(*RUN, "--user", user, "--out", "made")
    assert done.exit_code == 0, done.output
    files = sorted(path.name for path in Path("made").iterdir())
    assert "result.json" in files
    assert "sheet.png" in files
    assert len([name for name in files if name.endswith(".png")]) == 2


def test_it_shows_keywords_and_every_candidate_with_the_winner_marked(pmg: Pmg, user: str) -> None:
    done = pmg(*RUN, "--user", user, "--weights", "0.5:1, 1:1, 1:0.5")
    lines = done.stdout.splitlines()
    assert any("likes:" in line and "cat" in line for line in lines)
    assert any("target:" in line and "red" in line for line in lines)
    assert all(any(pair in line for line in lines) for pair in ("0.5:1", "1:1", "1:0.5"))
    assert len([line for line in lines if line.strip().startswith("*")]) == 1


def test_a_soft_weight_is_tried_and_shown(pmg: Pmg, user: str) -> None:
    done = pmg(*RUN, "--user", user, "--set", "soft_preference=reference", "--weights", "1:1,1:1:0.5")
    assert done.exit_code == 0, done.output
    assert "w_p:w_t:w_s" in done.stdout
    assert "1:1:0.5" in done.stdout


def test_both_keywords_only_and_soft_only_are_switches(pmg: Pmg, user: str) -> None:
    pictures = set()
    for switch, soft_is_made in (
        ("use_soft=true", True),
        ("use_soft=false", False),
        ("use_keywords=false", True),
    ):
        done = pmg(*RUN, "--user", user, "--set", "soft_preference=reference", "--set", switch, "--json")
        record = json.loads(done.stdout)
        assert ("soft_preference" in record["models"]) is soft_is_made
        assert (record["soft"] is not None) is soft_is_made
        pictures.add(tuple(candidate["sha256"] for candidate in record["candidates"]))
    assert len(pictures) == 3


def test_a_preference_with_soft_embeddings_can_be_used_without_them(pmg: Pmg, user: str) -> None:
    soft = ("--set", "soft_preference=reference")
    assert pmg("preference", "--scenario", "reference", user, *soft, "--out", "liked.json").exit_code == 0
    with_soft, without = (
        json.loads(pmg(*RUN, "--preference", "liked.json", *given, "--json").stdout)["candidates"]
        for given in ((), ("--set", "use_soft=false"))
    )
    assert len(with_soft) == len(without)
    assert [each["sha256"] for each in with_soft] != [each["sha256"] for each in without]


def test_json_is_the_record_and_nothing_else(pmg: Pmg, user: str) -> None:
    done = pmg(*RUN, "--user", user, "--json", "--alpha", "0.25", "--seed", "7", "--steps", "2")
    record = json.loads(done.stdout)
    assert record["folder"] == "out"
    assert record["config"]["alpha"] == 0.25
    assert record["config"]["steps"] == 2
    assert record["seed"] == 7
    assert 0 <= record["winner"] < len(record["candidates"])


def test_quiet_prints_the_path_alone(pmg: Pmg, user: str) -> None:
    done = pmg(*RUN, "--user", user, "--quiet")
    assert Path(done.stdout.strip()).is_file()


def test_without_a_user_a_warning_says_it_is_not_personalised(pmg: Pmg) -> None:
    done = pmg(*RUN)
    assert done.exit_code == 0
    assert "not personalised" in done.stderr


def test_settings_come_from_a_file_and_single_ones_win(pmg: Pmg, user: str) -> None:
    Path("my.toml").write_text('scenario = "reference"\nalpha = 0.1\nsteps = 3\n')
    done = pmg(
        *("generate", "--message", "sun", "--user", user, "--config", "my.toml", "--json"),
        *("--set", "alpha=0.9", "--set", "generator.options.side=32", "--set", "limits.items=1"),
    )
    config = json.loads(done.stdout)["config"]
    assert (config["alpha"], config["steps"], config["limits"]["items"]) == (0.9, 3, 1)
    assert config["generator"] == {"adapter": "reference", "options": {"side": 32}}


def test_an_empty_table_takes_a_choice_of_the_profile_away(pmg: Pmg, user: str) -> None:
    done = pmg(*RUN, "--user", user, "--set", "captioners={}", "--json")
    assert json.loads(done.stdout)["config"]["captioners"] == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--user", "nobody"), "nobody"),
        (("--alpha", "7"), "alpha"),
        (("--set", "stepz=3"), "steps"),
        (("--set", "generator=stable-difusion"), "stable-difusion"),
        (("--set", "generator=absent"), "a_package_nobody_has"),
        (("--config", "missing.toml"), "missing.toml"),
        (("--weights", "heavy"), "heavy"),
        (("--preference", "missing.json"), "missing.json"),
    ],
)
def test_an_error_is_one_line_that_names_the_cause(pmg: Pmg, arguments: tuple[str, ...], told: str) -> None:
    done = pmg(*RUN, *arguments)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert not Path("out").exists()


def test_an_unknown_scenario_is_an_error_too(pmg: Pmg) -> None:
    done = pmg("generate", "--scenario", "emoticon", "-m", "sun")
    assert done.exit_code == 1
    assert "emoticon" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--set", "alpha"), ("--preference", "p.json", "--user", "u")])
def test_wrong_usage_ends_with_code_2(pmg: Pmg, arguments: tuple[str, ...]) -> None:
    message = ("--message", "sun") if arguments else ()
    assert pmg("generate", *message, *arguments).exit_code == 2


def test_a_folder_with_other_things_is_not_replaced(pmg: Pmg, user: str) -> None:
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep")
    done = pmg(*RUN, "--user", user, "--out", "mine")
    assert done.exit_code == 1
    assert Path("mine/notes.txt").read_text() == "keep"


@pytest.mark.parametrize("out", ["mine", "mine/notes.txt/deeper"])
def test_a_folder_that_cannot_take_the_result_is_refused_before_the_work(
    pmg: Pmg, user: str, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    assert pmg(*RUN, "--user", user, "--out", "earlier").exit_code == 0
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("keep")
    made: list[object] = []
    monkeypatch.setattr(ReferenceGenerator, "generate", lambda *asked: made.append(asked))
    for command in ((*RUN, "--user", user), ("replay", "earlier/result.json")):
        done = pmg(*command, "--out", out)
        assert done.exit_code == 1
        assert done.stderr.startswith("error: ")
        assert "Choose another folder" in done.stderr
    assert made == []
    assert sorted(path.name for path in Path().iterdir()) == ["earlier", "mine"]


def test_debug_shows_the_traceback(pmg: Pmg) -> None:
    done = pmg("--debug", *RUN, "--user", "nobody")
    assert type(done.exception).__name__ == "BehaviorError"


def test_replay_makes_the_same_picture_again(pmg: Pmg, user: str) -> None:
    pmg(*RUN, "--user", user)
    again = pmg("replay", "out/result.json", "--out", "again")
    assert again.exit_code == 0, again.output
    assert "reproduced byte for byte" in again.stdout
    name = json.loads(Path("out/result.json").read_text())["media"]["file"]
    assert (Path("again") / name).read_bytes() == (Path("out") / name).read_bytes()


def test_replay_of_something_else_is_an_error(pmg: Pmg) -> None:
    Path("result.json").write_text("{}")
    assert pmg("replay", "result.json").exit_code == 1


def test_a_preference_is_made_once_and_used_later(pmg: Pmg, user: str) -> None:
    made = pmg("preference", user, "--scenario", "reference", "--out", "cats.json")
    assert made.exit_code == 0, made.output
    direct, kept = pmg(*RUN, "--user", user, "--json"), pmg(*RUN, "--preference", "cats.json", "--json")
    assert json.loads(kept.stdout)["candidates"] == json.loads(direct.stdout)["candidates"]


def test_ctrl_c_while_denoising_ends_with_130_and_leaves_nothing(pmg: Pmg, user: str) -> None:
    command = [sys.executable, "-m", "pmg_sdk.cli", *RUN, "--user", user, "--set", "generator=slow"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "denoising\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.strip() == "stopped; nothing half-written was left"
    assert output == ""
    assert list(Path().iterdir()) == []
