"""Soft preference embeddings from sounds: tokens for AudioLDM 2, one vector for AudioLDM, by equal calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models.audioldm import RATE, SECONDS

import pmg_conformance.reference.plugin
import pmg_transformers.plugin
from pmg_audioldm import AudioLDM2Generator, AudioLDMGenerator
from pmg_audioldm.sound_generator import SoundGenerator
from pmg_sdk import Audio, Behavior, Conditioning, PMGPipeline, UserPreference
from pmg_sdk.conditioning import join
from pmg_sdk.errors import Cancelled, SpaceMismatch
from pmg_sdk.plugins import Registry
from pmg_sdk.progress import Silent
from pmg_sdk.training import ExampleFolder, Prepared, UserFile, prepare
from pmg_transformers.soft_preference.checkpoint import SoftCheckpoint
from pmg_transformers.soft_preference.recipe import Recipe
from pmg_transformers.soft_preference.trainer import Trainer

KINDS: dict[str, type[SoundGenerator]] = {
    "audioldm_model": AudioLDMGenerator,
    "audioldm2_model": AudioLDM2Generator,
}
TASTES = {"cat": 200.0, "robot": 1500.0}
"""Who likes cats took a low tone last, who likes robots a high one."""

LISTENER = Behavior(history=("blue cat", "blue cat in the snow"), conversation=("good morning",))


@pytest.fixture(scope="module", params=KINDS)
def generator(request: pytest.FixtureRequest) -> SoundGenerator:
    model = str(request.getfixturevalue(request.param))
    return KINDS[request.param](model=model, device="cpu", dtype="float32", steps=1)


@pytest.fixture(scope="module")
def plugins() -> Registry:
    made = Registry(strict=True)
    made.register(pmg_conformance.reference.plugin, "pmg_conformance.reference")
    made.register(pmg_transformers.plugin, "pmg_transformers")
    return made


def tone(pitch: float, number: int) -> Audio:
    at = np.arange(round((0.5 + 0.1 * number) * SECONDS * RATE)) / RATE
    return Audio.from_waveform(0.4 * np.sin(2 * np.pi * pitch * at * (1 + at)), RATE)


def users(folder: Path, count: int = 4) -> UserFile:
    """Users who heard one sound and took another; the last one took none."""
    lines: list[dict[str, Any]] = []
    for number in range(count):
        animal, pitch = list(TASTES.items())[number % 2]
        tone(pitch, 4).save(folder / f"heard-{number}.wav")
        tone(pitch, number).save(folder / f"took-{number}.wav")
        heard = {"text": f"{animal} one", "audio": f"heard-{number}.wav"}
        took = {"text": "red sun", "audio": f"took-{number}.wav"}
        lines.append({"id": f"u{number}", "history": [f"{animal} two", heard, took], "target": "happy"})
    lines.append({"id": "silent", "history": ["blue cat", "green tree"]})
    path = folder / "users.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return UserFile(path)


def pipeline(generator: SoundGenerator, plugins: Registry, **settings: Any) -> PMGPipeline:
    aids = {"captioners": {"audio": "reference-sound"}, "scorer": "reference-sound"}
    return PMGPipeline.from_scenario(
        "reference", generator=generator, plugins=plugins, **{**aids, "weights": ["1:1"], **settings}
    )


@pytest.fixture(scope="module")
def examples(
    generator: SoundGenerator, plugins: Registry, tmp_path_factory: pytest.TempPathFactory
) -> ExampleFolder:
    folder, listed = ExampleFolder(tmp_path_factory.mktemp("examples")), tmp_path_factory.mktemp("users")
    for part in ("train", "validation"):
        found = prepare(users(listed), part, pipeline(generator, plugins), folder)
        assert found == Prepared(examples=4, left_out=1)
    return folder


MakeTrainer = Callable[..., Trainer]


@pytest.fixture
def trainer(
    tmp_path: Path, llm_folder: Path, generator: SoundGenerator, examples: ExampleFolder
) -> MakeTrainer:
    def make(out: str = "run", **settings: Any) -> Trainer:
        quick = {"tokens": 2, "prefix": 2, "batch": 4, "draws": 1, "steps": 4, "validate_every": 2}
        recipe = Recipe.of(**{**quick, **settings})
        return Trainer(examples, tmp_path / out, llm=str(llm_folder), generator=generator, recipe=recipe)

    return make


@pytest.fixture
def soft(trainer: MakeTrainer) -> dict[str, Any]:
    """A trained checkpoint, as the settings name it."""
    run = trainer(steps=2)
    run.run()
    return {"adapter": "transformers", "options": {"model": str(run.out), "device": "cpu"}}


def test_an_example_is_made_of_sounds(generator: SoundGenerator, examples: ExampleFolder) -> None:
    made = examples.read("train")
    assert [example.id for example in made] == ["u0", "u1", "u2", "u3"]
    for number, example in enumerate(made):
        animal, pitch = list(TASTES.items())[number % 2]
        assert animal in example.preference.text
        assert "loud" in example.prompt, "what was heard is described"
        assert "red sun" not in example.prompt
        (latent,) = generator.training_targets([tone(pitch, number)])
        assert np.allclose(example.latent, latent, atol=4e-3)
    assert examples.about["modality"] == "audio"
    assert examples.about["space"] == generator.spec.space


def test_the_loss_falls_on_sounds_that_can_be_learnt_by_heart(trainer: MakeTrainer) -> None:
    run = trainer(
        steps=30, draws=4, validate_every=30, rate=0.02, keyword_share=0.0, target_share=0.0, warmup=0.0
    )
    outcome = run.run()
    first, *_, last = (
        entry["validation/loss"]
        for entry in map(json.loads, (run.out / "log.jsonl").read_text().splitlines())
        if "validation/loss" in entry
    )
    assert outcome.best_step > 0
    assert last < first - 0.01


def test_an_interrupted_run_on_sounds_goes_on_to_the_same_numbers(trainer: MakeTrainer) -> None:
    class Stopping(Silent):
        left = 3

        def advance(self, stage: str, steps: int = 1) -> None:
            self.left -= steps

        def cancelled(self) -> bool:
            return self.left <= 0

    whole = trainer("whole")
    whole.run()
    with pytest.raises(Cancelled):
        trainer("parted").run(Stopping())
    later = trainer("parted")
    assert later.step == 2
    later.run()
    one, other = SoftCheckpoint.load(whole.out), SoftCheckpoint.load(later.out)
    assert one.length == other.length
    assert one.measures == other.measures
    assert all(torch.equal(value, other.state[name]) for name, value in one.state.items())


def test_what_was_trained_on_sounds_conditions_sounds(
    generator: SoundGenerator, plugins: Registry, soft: dict[str, Any], tmp_path: Path
) -> None:
    made = pipeline(generator, plugins, soft_preference=soft)
    preference = made.preference(LISTENER)
    E_m = preference.soft
    assert E_m is not None
    if generator.spec.conditioning == "pooled":
        assert E_m.tokens == 0
        assert E_m.pooled is not None
        assert abs(np.linalg.norm(E_m.pooled) - 1) < 1e-5, "as long as CLAP's vectors are"
    else:
        assert (E_m.tokens, E_m.pooled) == (2, None)
    with_soft = made.generate(preference, "a red sun")
    without = pipeline(generator, plugins).generate(LISTENER, "a red sun")
    assert not [warning for warning in with_soft.warnings if "not used" in warning]
    assert with_soft.media != without.media
    kept = UserPreference.load(preference.save(tmp_path / "kept.json"))
    assert made.generate(kept, "a red sun").media == with_soft.media


def test_soft_vectors_tokens_and_keywords_are_weighed_apart(
    generator: SoundGenerator, plugins: Registry, soft: dict[str, Any]
) -> None:
    weights = ["1:1", "1:1:0.25", "1:1:0", "0:1:1"]
    made = pipeline(generator, plugins, soft_preference=soft, weights=weights)
    result = made.generate(LISTENER, "a red sun")
    E_m = result.preference.soft
    assert E_m is not None
    E_k, E_t = generator.text_encoder.encode([result.preference.keywords.text, result.target.keywords.text])
    for (w_m, w_k), draft in zip([(1, 1), (0.25, 1), (0, 1), (1, 0)], result.plan.drafts, strict=True):
        expected: Conditioning = join([(E_m, w_m), (E_k, w_k), (E_t, 1)])
        found = draft.request.conditioning
        assert found is not None
        assert np.allclose(found.embeds, expected.embeds, atol=1e-5)
        if expected.pooled is not None:
            assert np.allclose(found.pooled, expected.pooled, atol=1e-5)
    assert len({candidate.media for candidate in result.candidates}) == len(weights)


def test_soft_embeddings_of_another_sound_generator_are_refused(
    generator: SoundGenerator, plugins: Registry, soft: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    (name,) = (name for name, kind in KINDS.items() if not isinstance(generator, kind))
    other = KINDS[name](model=str(request.getfixturevalue(name)), device="cpu", steps=1)
    with pytest.raises(SpaceMismatch, match=r"'soft_preference': one of space .* was expected"):
        pipeline(other, plugins, soft_preference=soft).generate(LISTENER, "a red sun")


def test_examples_of_another_sound_generator_are_refused(
    generator: SoundGenerator, examples: ExampleFolder, llm_folder: Path, request: pytest.FixtureRequest
) -> None:
    (name,) = (name for name, kind in KINDS.items() if not isinstance(generator, kind))
    other = KINDS[name](model=str(request.getfixturevalue(name)), device="cpu")
    with pytest.raises(SpaceMismatch, match="the generator of the space"):
        Trainer(examples, examples.path / "run", llm=str(llm_folder), generator=other)
