"""Users become examples once: shares, resumption, and who is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sample_media import pictures

from pmg_conformance.reference import ReferenceGenerator
from pmg_sdk import Behavior, Image, Item, PMGPipeline
from pmg_sdk.errors import Cancelled, CapabilityError, InputError
from pmg_sdk.plugins import Registry
from pmg_sdk.progress import Silent
from pmg_sdk.training import ExampleFolder, Prepared, User, prepare
from pmg_stable_diffusion import StableDiffusionGenerator

from .conftest import Untrainable

ANIMALS = ("cat", "dog", "frog", "owl", "robot")


def user(number: int, picture: Image | None, target: str = "") -> User:
    """Somebody who likes one animal, and took a red sun last."""
    animal = ANIMALS[number % len(ANIMALS)]
    history = (f"blue {animal}", f"{animal} in the snow", Item(text="crimson sun", media=picture or ()))
    return User(f"u{number}", Behavior(history=history, conversation=("good morning",)), target)


@pytest.fixture(scope="module")
def users() -> Sequence[User]:
    """Five users; the fourth has no picture to learn from."""
    drawn = pictures(5, size=(64, 64))
    return [user(number, None if number == 3 else drawn[number]) for number in range(5)]


@pytest.fixture
def pipeline(generator: StableDiffusionGenerator) -> PMGPipeline:
    import pmg_conformance.reference.plugin

    plugins = Registry(strict=True)
    plugins.register(pmg_conformance.reference.plugin, "pmg_conformance.reference")
    return PMGPipeline.from_scenario("reference", generator=generator, plugins=plugins)


@pytest.fixture(autouse=True)
def _shards_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(prepare.__globals__, "SHARD", 2)


def test_an_example_is_what_may_be_read_and_what_was_chosen(
    users: Sequence[User], pipeline: PMGPipeline, generator: StableDiffusionGenerator, tmp_path: Path
) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    assert prepare(users, "train", pipeline, folder) == Prepared(examples=4, left_out=1)
    made = folder.read("train")
    assert [example.id for example in made] == ["u0", "u1", "u2", "u4"]
    for example, source in zip(made, [users[0], users[1], users[2], users[4]], strict=True):
        animal = ANIMALS[int(example.id[1:])]
        assert pipeline.scenario.principle in example.prompt
        assert animal in example.prompt
        assert animal in example.preference.text
        assert "crimson" not in example.prompt
        assert "crimson" not in example.preference.text
        assert example.target
        (latent,) = generator.training_targets([source.behavior.history[-1].media[0]])
        assert np.allclose(example.latent, latent, atol=2e-3)
    assert folder.parts == ("train",)
    assert folder.about["space"] == generator.spec.space


def test_a_stated_target_is_taken_as_it_is(pipeline: PMGPipeline, tmp_path: Path) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    prepare([user(0, pictures(1)[0], target="happy, very excited")], "train", pipeline, folder)
    assert folder.read("train")[0].target.texts == ("happy", "very excited")


def test_shards_that_are_there_are_left_alone(
    users: Sequence[User], pipeline: PMGPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    made = prepare(users, "train", pipeline, folder)
    (folder.path / "train-00001.safetensors").unlink()
    kept = {path.name: path.stat().st_mtime_ns for path in folder.path.iterdir()}
    asked: list[Behavior] = []
    preference = PMGPipeline.preference

    def counting(self: PMGPipeline, behavior: Behavior) -> object:
        asked.append(behavior)
        return preference(self, behavior)

    monkeypatch.setattr(PMGPipeline, "preference", counting)
    assert prepare(users, "train", pipeline, folder) == made
    assert len(asked) == 1, "of the second shard's two users one cannot be split"
    assert {name: (folder.path / name).stat().st_mtime_ns for name in kept} == kept


def test_a_run_that_is_stopped_goes_on(users: Sequence[User], pipeline: PMGPipeline, tmp_path: Path) -> None:
    class Stopping(Silent):
        done = 0

        def advance(self, stage: str, steps: int = 1) -> None:
            self.done += steps

        def cancelled(self) -> bool:
            return self.done >= 3

    folder = ExampleFolder(tmp_path / "examples")
    with pytest.raises(Cancelled):
        prepare(users, "train", pipeline, folder, observer=Stopping())
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "examples.json",
        "train-00000.safetensors",
    ]
    assert prepare(users, "train", pipeline, folder).examples == 4


def test_shares_make_together_what_one_makes(
    users: Sequence[User], pipeline: PMGPipeline, tmp_path: Path
) -> None:
    whole, parted = ExampleFolder(tmp_path / "whole"), ExampleFolder(tmp_path / "parted")
    prepare(users, "train", pipeline, whole)
    assert prepare(users, "train", pipeline, parted, share=(1, 2)) == Prepared(examples=1, left_out=1)
    assert prepare(users, "train", pipeline, parted, share=(0, 2)) == Prepared(examples=3, left_out=0)
    for one, other in zip(whole.read("train"), parted.read("train"), strict=True):
        assert (one.id, one.prompt, one.preference, one.target) == (
            other.id,
            other.prompt,
            other.preference,
            other.target,
        )
        assert np.array_equal(one.latent, other.latent)


def test_examples_made_with_other_settings_are_not_mixed(
    users: Sequence[User], pipeline: PMGPipeline, tmp_path: Path
) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    prepare(users, "train", pipeline, folder)
    shorter = pipeline.config.replaced(limits={"items": 1})
    other = PMGPipeline(
        shorter,
        **{role: getattr(pipeline.roles, role) for role in ("llm", "generator", "scorer", "captioners")},
        scenario=pipeline.scenario,
    )
    with pytest.raises(InputError, match="other limits"):
        prepare(users, "validation", other, folder)


def test_another_list_of_users_is_refused(
    users: Sequence[User], pipeline: PMGPipeline, tmp_path: Path
) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    prepare(users, "train", pipeline, folder)
    with pytest.raises(InputError, match="made from 1 users; the list has 2"):
        prepare([*users, user(5, None)], "train", pipeline, folder)


def test_a_shard_may_hold_nobody(pipeline: PMGPipeline, tmp_path: Path) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    nobody = [user(number, None) for number in range(2)]
    for _ in range(2):
        assert prepare(nobody, "train", pipeline, folder) == Prepared(examples=0, left_out=2)
    with pytest.raises(InputError, match="there are none"):
        folder.read("train")


def test_a_generator_that_cannot_train_is_refused(users: Sequence[User], tmp_path: Path) -> None:
    import pmg_conformance.reference.plugin

    plugins = Registry(strict=True)
    plugins.register(pmg_conformance.reference.plugin, "pmg_conformance.reference")
    pipeline = PMGPipeline.from_scenario("reference", generator=Untrainable(), plugins=plugins)
    with pytest.raises(CapabilityError, match="supports training"):
        prepare(users, "train", pipeline, ExampleFolder(tmp_path))
    of_text = PMGPipeline.from_scenario(
        "reference", generator=ReferenceGenerator(conditioning="text"), plugins=plugins
    )
    with pytest.raises(CapabilityError, match="takes only text"):
        prepare(users, "train", of_text, ExampleFolder(tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [b"", b"no safetensors", b"\x00" * 100])
def test_a_damaged_shard_is_an_error_that_says_what_to_do(
    users: Sequence[User], pipeline: PMGPipeline, tmp_path: Path, damage: bytes
) -> None:
    folder = ExampleFolder(tmp_path / "examples")
    prepare(users[:2], "train", pipeline, folder)
    (folder.path / "train-00000.safetensors").write_bytes(damage)
    with pytest.raises(InputError, match="Delete it and prepare again"):
        folder.read("train")
    with pytest.raises(InputError, match="Delete it and prepare again"):
        prepare(users[:2], "train", pipeline, folder)


def test_a_folder_of_something_else_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"examples\.json"):
        _ = ExampleFolder(tmp_path).about
    (tmp_path / "examples.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="format 1 were expected"):
        _ = ExampleFolder(tmp_path).about
