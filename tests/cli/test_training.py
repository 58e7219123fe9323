"""`pmg prepare`, `pmg train` and `pmg export-soft`: from users' logs to a medium with soft tokens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from safetensors.torch import load_file
from sample_media import pictures

from pmg_sdk import Audio

from .conftest import Pmg

RECIPE = "tokens = 2\nprefix = 3\nsteps = 4\nbatch = 4\ndraws = 1\nvalidate_every = 2\n"
SETTINGS = ("--config", "pmg.toml")


@pytest.fixture
def world(pmg: Pmg, sd15_model: Path, llm_folder: Path) -> Pmg:
    """A folder with settings, a recipe and the logs of six users, one of whom cannot be learnt from."""
    Path("pmg.toml").write_text(
        f'scenario = "reference"\nsteps = 1\n[generator]\nadapter = "stable-diffusion"\n'
        f'options = {{model = "{sd15_model}", device = "cpu"}}\n'
    )
    Path("recipe.toml").write_text(RECIPE)
    for number, picture in enumerate(pictures(5, size=(64, 64))):
        Path(f"{number}.png").write_bytes(picture.to_bytes())
    users: list[dict[str, Any]] = [
        {
            "id": f"u{number}",
            "history": ["blue cat", "cat in the snow", {"text": "red sun", "image": f"{number}.png"}],
            "target": "happy",
        }
        for number in range(5)
    ]
    users.append({"id": "u5", "history": ["blue cat", "green tree"]})
    Path("users.jsonl").write_text("".join(f"{json.dumps(user)}\n" for user in users))
    Path("user.json").write_text(json.dumps({"history": ["blue cat", "blue cat in the snow"]}))
    return pmg


@pytest.fixture
def prepared(world: Pmg) -> Pmg:
    for part in ("train", "validation"):
        done = world("prepare", "users.jsonl", "--part", part, "--out", "examples", *SETTINGS)
        assert done.exit_code == 0, done.output
    return world


def train(pmg: Pmg, llm: Path, *arguments: str, out: str = "soft") -> Result:
    return pmg(
        *("train", "examples", "--out", out, "--llm", str(llm), "--recipe", "recipe.toml"),
        *SETTINGS,
        *arguments,
    )


def test_prepare_says_how_many_examples_there_are_and_who_was_left_out(world: Pmg) -> None:
    command = ("prepare", "users.jsonl", "--part", "train", "--out", "examples", *SETTINGS)
    for _ in range(2):
        done = world(*command)
        assert done.stdout == "5 examples of the part train in examples; users left out: 1\n"
    counted = json.loads(world(*command, "--json").stdout)
    assert counted == {"part": "train", "examples": 5, "left_out": 1, "folder": "examples"}


def test_shares_are_counted_from_one(world: Pmg) -> None:
    command = ("prepare", "users.jsonl", "--part", "train", "--out", "examples", *SETTINGS)
    assert world(*command, "--share", "2/2").stdout.startswith("0 examples")
    assert world(*command, "--share", "1/2").stdout.startswith("5 examples")
    for share in ("0/2", "3/2", "1", "a/b"):
        assert world(*command, "--share", share).exit_code == 2


@pytest.mark.parametrize("part", ["", "a-b", "../x"])
def test_the_name_of_a_part_is_one_word(world: Pmg, part: str) -> None:
    done = world("prepare", "users.jsonl", "--part", part, "--out", "examples", *SETTINGS)
    assert done.exit_code == 2


def test_a_line_that_is_no_user_is_named(world: Pmg) -> None:
    with Path("users.jsonl").open("a") as file:
        file.write("{]\n")
    done = world("prepare", "users.jsonl", "--part", "train", "--out", "examples", *SETTINGS)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: users.jsonl, line 7 is not UTF-8 JSON")


def test_what_was_trained_conditions_what_is_made(prepared: Pmg, llm_folder: Path) -> None:
    done = train(prepared, llm_folder)
    assert done.exit_code == 0, done.output
    assert "steps: 4" in done.stdout
    assert "with keywords alone" in done.stdout
    usage = next(line for line in done.stdout.splitlines() if line.startswith("to use it:"))
    options = usage.removeprefix("to use it:").split()
    run = ("generate", "--user", "user.json", "--message", "a red sun", *SETTINGS, "--json")
    assert prepared(*run, "--out", "without").exit_code == 0
    made = prepared(*run, *options, "--out", "with")
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    assert found["config"]["soft_preference"]["options"]["model"] == "soft"
    assert Path("with/sheet.png").read_bytes() != Path("without/sheet.png").read_bytes()


@pytest.mark.parametrize(("adapter", "map_values"), [("audioldm", 48 * 24 + 24), ("audioldm2", 48 * 32 + 32)])
def test_the_same_commands_learn_from_sounds(
    pmg: Pmg, llm_folder: Path, request: pytest.FixtureRequest, adapter: str, map_values: int
) -> None:
    """AudioLDM takes one vector of CLAP's width, AudioLDM 2 tokens of T5's."""
    model = request.getfixturevalue(f"{adapter}_model")
    Path("pmg.toml").write_text(
        'scenario = "reference"\nsteps = 1\n'
        'scorer = "reference-sound"\ncaptioners = {audio = "reference-sound"}\n'
        f'[generator]\nadapter = "{adapter}"\noptions = {{model = "{model}", device = "cpu"}}\n'
    )
    Path("recipe.toml").write_text(RECIPE)
    Path("sounds").mkdir()
    users: list[dict[str, Any]] = []
    for number in range(4):
        for what, seed in (("heard", number), ("took", number + 9)):
            noise = np.random.default_rng(seed).uniform(-0.5, 0.5, 4000)
            Audio.from_waveform(noise, 8000).save(f"sounds/{what}-{number}.wav")
        heard, took = ({"audio": f"sounds/{what}-{number}.wav"} for what in ("heard", "took"))
        users.append({"id": f"u{number}", "history": ["blue cat", heard, took], "target": "happy"})
    Path("users.jsonl").write_text("".join(f"{json.dumps(user)}\n" for user in users))
    Path("user.json").write_text(json.dumps({"history": users[0]["history"][:2]}))
    for part in ("train", "validation"):
        done = pmg("prepare", "users.jsonl", "--part", part, "--out", "examples", *SETTINGS)
        assert done.stdout == f"4 examples of the part {part} in examples; users left out: 0\n", done.output
    assert f"map {map_values:,}" in train(pmg, llm_folder, "--dry-run").stdout
    assert train(pmg, llm_folder).exit_code == 0
    exported = pmg("export-soft", "soft", "small")
    assert exported.exit_code == 0, exported.output
    usage = exported.stdout.splitlines()[-1].removeprefix("to use it:").split()
    run = ("generate", "--user", "user.json", "--message", "a red sun", *SETTINGS, "--json")
    made = [
        json.loads(pmg(*run, *options, "--out", out).stdout) for out, options in (("a", usage), ("b", []))
    ]
    assert not [warning for warning in made[0]["warnings"] if "not used" in warning]
    sounds = [next(Path(out).glob("winner.*")).read_bytes() for out in ("a", "b")]
    assert sounds[0] != sounds[1]


def test_the_same_command_again_says_that_it_is_over(prepared: Pmg, llm_folder: Path) -> None:
    first = json.loads(train(prepared, llm_folder, "--json").stdout)
    again = json.loads(train(prepared, llm_folder, "--json").stdout)
    assert {**again, "samples_per_second": 0} == {**first, "samples_per_second": 0}
    assert (first["steps"], first["folder"]) == (4, "soft")


def test_ctrl_c_keeps_the_last_checkpoint_and_the_same_command_goes_on(
    prepared: Pmg, llm_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pmg_transformers.soft_preference.trainer import Trainer

    step = Trainer.train_step

    def pressed(trainer: Trainer) -> float:
        if trainer.step == 3:
            raise KeyboardInterrupt
        return step(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_step", pressed)
        done = train(prepared, llm_folder)
    assert done.exit_code == 130
    assert done.stderr.strip() == "stopped; the run goes on from its last checkpoint with the same command"
    again = train(prepared, llm_folder)
    assert again.exit_code == 0
    assert "going on with the run in soft at step 2 of 4" in again.stderr


def test_a_dry_run_tells_the_cost_and_writes_nothing(prepared: Pmg, llm_folder: Path) -> None:
    before = sorted(Path().iterdir())
    done = train(prepared, llm_folder, "--dry-run")
    assert done.exit_code == 0, done.output
    for told in ("m 96, prefix 288, map 1,568", "5 train, 5 validation", "bytes; exported", "MiB at most"):
        assert told in done.stdout
    costs = json.loads(train(prepared, llm_folder, "--dry-run", "--steps", "1000", "--json").stdout)
    assert costs["trained_total"] == 96 + 288 + 1568
    assert costs["seconds"] == pytest.approx(1000 * costs["seconds_per_step"])
    assert sorted(Path().iterdir()) == before


def test_options_stand_above_the_recipe(prepared: Pmg, llm_folder: Path) -> None:
    numbers = {"tokens": 1, "prefix": 0, "steps": 2, "batch": 2, "seed": 5, "precision": "fp32"}
    done = train(prepared, llm_folder, *(f"--{name}={value}" for name, value in numbers.items()))
    assert done.exit_code == 0, done.output
    recipe = json.loads(Path("soft/soft_preference.json").read_text())["recipe"]
    assert {name: recipe[name] for name in numbers} == numbers
    assert recipe["draws"] == 1


def test_an_export_can_be_used_and_a_run_is_not_overwritten_by_one(prepared: Pmg, llm_folder: Path) -> None:
    assert train(prepared, llm_folder).exit_code == 0
    for _ in range(2):
        done = prepared("export-soft", "soft", "small")
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith("small\n")
    assert "soft_preference.options.model=small" in done.stdout
    (run,), (small,) = Path("soft").glob("*.safetensors"), Path("small").glob("*.safetensors")
    assert small.stat().st_size < run.stat().st_size / 4
    refused = prepared("export-soft", "soft", "soft")
    assert refused.exit_code == 1
    assert "would be lost" in refused.stderr
    made = prepared(
        *("generate", "--user", "user.json", "--message", "a red sun", *SETTINGS, "--out", "made"),
        *("--set", "soft_preference.adapter=transformers", "--set", "soft_preference.options.model=small"),
    )
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--llm", ""), "soft tokens are trained on a local causal model; name one with --llm"),
        (("--recipe", "nowhere.toml"), "nowhere.toml"),
        (("--batch", "0"), "batch"),
        (("--set", "generator=reference"), "the generator of the space"),
        (("--llm", "./nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_trained_with_is_one_line(
    prepared: Pmg, llm_folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = train(prepared, llm_folder, *arguments)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert not Path("soft").exists()


def test_examples_that_are_none_are_one_line(world: Pmg, llm_folder: Path) -> None:
    done = train(world, llm_folder)
    assert done.exit_code == 1
    assert "examples.json" in done.stderr


def command(llm: Path, out: str, *arguments: str) -> list[str]:
    options = ["--out", out, "--llm", str(llm), "--recipe", "recipe.toml", *SETTINGS, *arguments]
    return ["pmg_sdk.cli", "train", "examples", *options]


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_numbers(prepared: Pmg, llm_folder: Path) -> None:
    asked = ("--steps", "40")
    python = [sys.executable, "-m"]
    subprocess.run([*python, *command(llm_folder, "whole", *asked)], check=True, capture_output=True)
    process = subprocess.Popen(
        [*python, *command(llm_folder, "killed", *asked)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    about = Path("killed/soft_preference.json")
    deadline = time.monotonic() + 120
    while not about.exists() or json.loads(about.read_text())["progress"]["step"] < 8:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    again = subprocess.run(
        [*python, *command(llm_folder, "killed", *asked)], check=True, capture_output=True, text=True
    )
    assert "going on with the run in killed" in again.stderr
    tensors = [
        load_file(Path(out) / json.loads((Path(out) / about.name).read_text())["weights"])
        for out in ("whole", "killed")
    ]
    assert tensors[0].keys() == tensors[1].keys()
    assert all(bool((value == tensors[1][name]).all()) for name, value in tensors[0].items())
    assert Path("whole/log.jsonl").read_text() == Path("killed/log.jsonl").read_text()


@pytest.mark.slow
def test_two_processes_follow_the_curve_of_one(prepared: Pmg, llm_folder: Path) -> None:
    """With five examples to validate: the processes have not equally many."""
    told = {}
    for processes in (1, 2):
        launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes), "-m"]
        done = subprocess.run(
            [*launch, *command(llm_folder, f"by-{processes}", "--json")],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
            timeout=300,
        )
        told[processes] = json.loads(done.stdout)  # the main process speaks, alone
    assert told[1]["loss"] == pytest.approx(told[2]["loss"], abs=1e-5)
    curves = [
        [json.loads(line) for line in Path(f"by-{processes}/log.jsonl").read_text().splitlines()]
        for processes in (1, 2)
    ]
    assert len(curves[0]) == len(curves[1]) > 4
    for one, other in zip(*curves, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
