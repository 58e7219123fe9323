"""The same picture again, from nothing but its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pmg_conformance.reference import ReferenceGenerator, ReferenceLanguageModel
from pmg_sdk import Behavior, Image, Item, Media, PMGConfig, PMGPipeline, Registry, Result
from pmg_sdk.errors import ReplayError
from pmg_sdk.progress import Observer
from pmg_sdk.replay import replay

BEHAVIOR = Behavior(history=["a blue cat", "a blue frog", Item(text="a red robot", liked=False)])


@pytest.fixture
def saved(pipeline: PMGPipeline, tmp_path: Path) -> tuple[Result, Path]:
    result = pipeline.generate(BEHAVIOR, "a happy dog", seed=11)
    return result, result.save(tmp_path / "out") / "result.json"


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return path


def test_a_replay_is_the_same_picture_with_the_same_numbers(
    saved: tuple[Result, Path], plugins: Registry
) -> None:
    result, path = saved
    again = replay(path, plugins=plugins)
    assert again.reproduced is True
    assert again.media == result.media
    assert [each.z for each in again.candidates] == [each.z for each in result.candidates]
    assert again.winner.weights == result.winner.weights
    assert not again.notes


def test_a_replay_can_be_saved_and_replayed(
    saved: tuple[Result, Path], plugins: Registry, tmp_path: Path
) -> None:
    again = replay(saved[1], plugins=plugins).save(tmp_path / "again")
    first = json.loads(saved[1].read_text())
    assert json.loads((again / "result.json").read_text()) == first


def test_a_replay_does_not_ask_the_language_model(saved: tuple[Result, Path], plugins: Registry) -> None:
    class Mute(ReferenceLanguageModel):
        def complete(self, prompts: Any, *, max_tokens: int = 32, seed: int = 0) -> list[str]:
            raise AssertionError("a replay asked the language model")

    config = PMGConfig(**json.loads(saved[1].read_text())["config"])
    assert replay(saved[1], pipeline=PMGPipeline(config, plugins=plugins, llm=Mute())).reproduced


def test_a_replay_of_an_unpersonalised_result(
    pipeline: PMGPipeline, plugins: Registry, tmp_path: Path
) -> None:
    path = pipeline.generate(Behavior(), "a dog").save(tmp_path / "out") / "result.json"
    assert replay(path, plugins=plugins).reproduced


def test_soft_embeddings_come_back_from_their_file(plugins: Registry, tmp_path: Path) -> None:
    pipeline = PMGPipeline.from_scenario("reference", plugins=plugins, soft_preference="reference")
    path = pipeline.generate(BEHAVIOR, "a dog").save(tmp_path / "out") / "result.json"
    assert replay(path, plugins=plugins).reproduced


def test_candidates_with_a_soft_weight_come_back_with_it(plugins: Registry, tmp_path: Path) -> None:
    pipeline = PMGPipeline.from_scenario(
        "reference", plugins=plugins, soft_preference="reference", weights=["1:1", "1:1:0.5", "0.5:1:2"]
    )
    path = pipeline.generate(BEHAVIOR, "a dog").save(tmp_path / "out") / "result.json"
    written = [candidate["weights"] for candidate in json.loads(path.read_text())["candidates"]]
    assert written == ["1:1", "1:1:0.5", "0.5:1:2"]
    again = replay(path, plugins=plugins)
    assert again.reproduced
    assert [str(candidate.weights) for candidate in again.candidates] == written


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_soft_embeddings_that_cannot_be_read_are_named(
    plugins: Registry, tmp_path: Path, content: bytes | None
) -> None:
    pipeline = PMGPipeline.from_scenario("reference", plugins=plugins, soft_preference="reference")
    path = pipeline.generate(BEHAVIOR, "a dog").save(tmp_path / "out") / "result.json"
    soft = path.with_name("preference.safetensors")
    soft.unlink()
    if content is not None:
        soft.write_bytes(content)
    with pytest.raises(ReplayError, match=r"preference\.safetensors"):
        replay(path, plugins=plugins)


class Changed(ReferenceGenerator):
    """Another version of the generator, which draws one pixel differently."""

    def generate(self, requests: Any, observer: Observer | None = None) -> list[Media]:
        changed: list[Media] = []
        for medium in super().generate(requests, observer):
            pixels = medium.picture().pixels.copy()
            pixels[0, 0] ^= 1
            changed.append(Image(pixels))
        return changed


def test_a_picture_that_came_out_differently_is_reported(
    saved: tuple[Result, Path], plugins: Registry
) -> None:
    config = PMGConfig(**json.loads(saved[1].read_text())["config"])
    again = replay(saved[1], pipeline=PMGPipeline(config, plugins=plugins, generator=Changed()))
    assert again.reproduced is False
    assert any("differs from the recorded one" in warning for warning in again.warnings)
    assert any(warning.startswith("generator: made with reference") for warning in again.warnings)
    assert again.winner.weights == saved[0].winner.weights


def test_a_result_of_adapter_objects_needs_the_pipeline(plugins: Registry, tmp_path: Path) -> None:
    config = PMGConfig(scenario="reference", llm="reference", scorer="reference")
    pipeline = PMGPipeline(config, plugins=plugins, generator=ReferenceGenerator())
    path = pipeline.generate(BEHAVIOR, "a dog").save(tmp_path / "out") / "result.json"
    with pytest.raises(ReplayError, match="hand in pipeline"):
        replay(path, plugins=plugins)
    assert replay(path, pipeline=pipeline).reproduced


def test_a_pipeline_with_another_config_is_refused(saved: tuple[Result, Path], plugins: Registry) -> None:
    other = PMGPipeline.from_scenario("reference", plugins=plugins, alpha=0.1)
    with pytest.raises(ReplayError, match="recorded config"):
        replay(saved[1], pipeline=other)


def test_what_is_not_installed_is_named(saved: tuple[Result, Path]) -> None:
    with pytest.raises(ReplayError, match=r"not installed.*'reference'"):
        replay(saved[1], plugins=Registry())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda values: values.update(format=2), "format"),
        (lambda values: values.pop("winner"), "winner"),
        (lambda values: values.update(winner=99), "99 is not one of"),
        (lambda values: values["config"].update(alpha=0.9), "the file was edited"),
        (lambda values: values["config"].update(surprise=1), "'surprise' is unknown"),
        (lambda values: values["keywords"].update(target=3), "keywords are damaged"),
        (lambda values: values.update(soft="../../etc/passwd"), "soft"),
        (lambda values: values["candidates"].pop(), "candidates were expected|not one of"),
    ],
)
def test_a_damaged_record_is_named(
    saved: tuple[Result, Path], plugins: Registry, change: Callable[[dict[str, Any]], None], complaint: str
) -> None:
    with pytest.raises(ReplayError, match=complaint):
        replay(edited(saved[1], change), plugins=plugins)


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff\xfe"])
def test_what_is_no_record_at_all_is_named(tmp_path: Path, plugins: Registry, content: bytes | None) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReplayError, match=r"result\.json"):
        replay(path, plugins=plugins)
