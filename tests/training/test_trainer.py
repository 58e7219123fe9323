"""Training on a tiny problem: what learns, what stays, and that a run can be interrupted anywhere."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from sample_media import pictures
from tiny_models.language_models import llama_folder
from tiny_models.training import example_folder
from tiny_models.training import examples as tiny_examples

from pmg_conformance.reference import ReferenceGenerator, ReferenceTextEncoder
from pmg_conformance.reference.world import WIDTH
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import (
    Cancelled,
    CapabilityError,
    ConfigError,
    InputError,
    ModelFolderError,
    SpaceMismatch,
)
from pmg_sdk.interfaces import ConditioningKind
from pmg_sdk.keywords import Keywords
from pmg_sdk.training import ExampleFolder
from pmg_stable_diffusion import StableDiffusionGenerator
from pmg_transformers.soft_preference.checkpoint import JSON_FILE, SoftCheckpoint
from pmg_transformers.soft_preference.dry_run import dry_run
from pmg_transformers.soft_preference.encoder import TransformersSoftPreferenceEncoder
from pmg_transformers.soft_preference.recipe import Recipe
from pmg_transformers.soft_preference.trainer import Trainer

from .conftest import MakeTrainer, Untrainable


class Stopping:
    """An observer that stops a run after some steps."""

    def __init__(self, after: int) -> None:
        self._left = after

    def start(self, stage: str, total: int) -> None:
        pass

    def advance(self, stage: str, steps: int = 1) -> None:
        self._left -= steps

    def cancelled(self) -> bool:
        return self._left <= 0


def log(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def same(one: Path, other: Path) -> bool:
    """Whether two runs ended in the same numbers, to the last bit."""
    first, second = SoftCheckpoint.load(one), SoftCheckpoint.load(other)
    tensors = [{**found.values, **found.state} for found in (first, second)]
    return (
        tensors[0].keys() == tensors[1].keys()
        and all(torch.equal(value, tensors[1][name]) for name, value in tensors[0].items())
        and first.measures == second.measures
        and log(one) == log(other)
    )


@pytest.mark.parametrize(("prefix", "parts"), [(3, {"m", "prefix", "map"}), (0, {"m", "map"})])
def test_m_prefix_and_map_learn_and_nothing_else(
    trainer: MakeTrainer, generator: StableDiffusionGenerator, prefix: int, parts: set[str]
) -> None:
    run = trainer(prefix=prefix, draws=1)
    frozen = [run._llm.model, generator._loss.model.unet, generator._loss.model.vae]
    before = [[value.clone() for value in model.parameters()] for model in frozen]
    learnt = run.soft.values()
    assert run.parameters.keys() == parts
    run.train_step()
    for name, value in run.soft.values().items():
        assert not torch.equal(value, learnt[name]), name
    for model, values in zip(frozen, before, strict=True):
        for value, parameter in zip(values, model.parameters(), strict=True):
            assert parameter.grad is None
            assert not parameter.requires_grad
            assert torch.equal(value, parameter)


def test_gradients_reach_every_part(trainer: MakeTrainer) -> None:
    run = trainer()
    stepped: list[dict[str, torch.Tensor]] = []
    step = run.optimizer.step

    def watched(*arguments: Any) -> Any:
        stepped.append({name: value.grad.clone() for name, value in run.soft.trained()})  # type: ignore[union-attr]
        return step(*arguments)

    run.optimizer.step = watched  # type: ignore[method-assign]
    run.train_step()
    assert set(stepped[0]) == {"m", "prefix", "map.weight", "map.bias"}
    assert all(slope.abs().max() > 0 for slope in stepped[0].values())


def test_the_loss_falls_on_examples_that_can_be_learnt_by_heart(trainer: MakeTrainer) -> None:
    run = trainer(steps=40, batch=8, validate_every=20, keyword_share=0.0, target_share=0.0)
    outcome = run.run()
    first = next(entry["validation/loss"] for entry in log(run.out) if "validation/loss" in entry)
    assert outcome.loss < first - 0.01
    assert outcome.best_step > 0
    assert outcome.samples_per_second > 0
    assert SoftCheckpoint.load(run.out).measures["validation_loss"] == outcome.loss


@pytest.mark.parametrize("kind", ["sequence", "pooled"])
def test_a_generator_of_another_framework_teaches_as_well(
    kind: ConditioningKind, llm_folder: Path, tmp_path: Path
) -> None:
    generator = ReferenceGenerator(conditioning=kind)  # numpy alone
    folder = example_folder(tmp_path / "toys", str(generator.spec.space), shape=(WIDTH,))
    recipe = Recipe(
        tokens=2, prefix=2, steps=60, batch=8, validate_every=30, keyword_share=0.0, target_share=0.0
    )
    run = Trainer(folder, tmp_path / "run", llm=str(llm_folder), generator=generator, recipe=recipe)
    outcome = run.run()
    assert outcome.loss < 0.6 * outcome.keywords_alone
    users = folder.read("validation")
    encoder = TransformersSoftPreferenceEncoder(model=str(run.out), device="cpu")
    own = encoder.encode([user.prompt for user in users])
    swapped = [own[place ^ 1] for place in range(len(users))]  # users take turns in what they like
    latents, seeds = [user.latent for user in users], range(len(users))
    right, wrong = (generator.training_loss(E_m, latents, seeds, draws=8).values for E_m in (own, swapped))
    assert right.mean() < 0.8 * wrong.mean(), "what was learnt is a user's own"


@pytest.mark.parametrize("shape", ["sd21_model", "sdxl_model"])
def test_other_shapes_of_stable_diffusion_teach_as_well(
    shape: str, request: pytest.FixtureRequest, llm_folder: Path, tmp_path: Path
) -> None:
    generator = StableDiffusionGenerator(model=str(request.getfixturevalue(shape)), device="cpu")
    (latent,) = generator.training_targets(pictures(1))
    folder = example_folder(tmp_path / "examples", generator.text_encoder.space, shape=latent.shape)
    recipe = Recipe(tokens=2, prefix=2, steps=2, batch=4, draws=1, validate_every=1)
    outcome = Trainer(folder, tmp_path / "run", llm=str(llm_folder), generator=generator, recipe=recipe).run()
    assert outcome.steps == 2
    assert outcome.loss > 0


def test_two_runs_of_one_recipe_give_the_same_numbers(trainer: MakeTrainer) -> None:
    for out in ("one", "other"):
        trainer(out).run()
    assert same(trainer("one").out, trainer("other").out)
    trainer("third", seed=1).run()
    assert not same(trainer("one").out, trainer("third", seed=1).out)


def test_an_interrupted_run_goes_on_to_the_same_numbers(trainer: MakeTrainer) -> None:
    trainer("whole").run()
    with pytest.raises(Cancelled):
        trainer("parted").run(Stopping(after=5))
    later = trainer("parted")
    assert later.step == 3, "the last checkpoint"
    later.run()
    assert same(trainer("whole").out, later.out)


def test_the_same_trainer_goes_on_too(trainer: MakeTrainer) -> None:
    trainer("whole").run()
    parted = trainer("parted")
    with pytest.raises(Cancelled):
        parted.run(Stopping(after=3))
    parted.run()
    assert same(trainer("whole").out, parted.out)


def test_a_line_of_the_log_that_was_cut_off_is_left_out(trainer: MakeTrainer) -> None:
    trainer("whole").run()
    with pytest.raises(Cancelled):
        trainer("parted").run(Stopping(after=3))
    with (trainer("parted").out / "log.jsonl").open("a") as file:
        file.write('{"step": 3, "validat')
    trainer("parted").run()
    assert same(trainer("whole").out, trainer("parted").out)


def test_a_run_that_is_over_takes_no_more_steps(trainer: MakeTrainer) -> None:
    first = trainer().run()
    again = trainer().run()
    assert dataclasses.replace(again, samples_per_second=0) == dataclasses.replace(
        first, samples_per_second=0
    )
    assert again.samples_per_second == 0


def test_validation_that_does_not_improve_ends_the_run(
    trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([9.0, 1.0, 0.5, 0.8, 0.7, 0.6])  # keywords alone, then at steps 0, 2, 4, 6, 8
    monkeypatch.setattr(Trainer, "validate", lambda *_, **__: next(losses))
    outcome = trainer(steps=100, validate_every=2, patience=3, draws=1).run()
    assert outcome.stopped_early
    assert (outcome.steps, outcome.best_step, outcome.loss, outcome.keywords_alone) == (8, 2, 0.5, 9.0)


def test_the_best_values_are_kept_not_the_last(trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([9.0, 1.0, 0.5, 0.8])
    monkeypatch.setattr(Trainer, "validate", lambda *_, **__: next(losses))
    run = trainer(steps=4, validate_every=2)
    run.run()
    kept = SoftCheckpoint.load(run.out)
    assert not torch.equal(kept.values["m"], kept.state["now.m"])
    assert torch.equal(kept.state["now.m"], run.soft.values()["m"])


def test_a_batch_in_several_forwards_is_the_same_step(trainer: MakeTrainer) -> None:
    at_once, in_two = trainer("one"), trainer("other", accumulate=2)
    for _ in range(3):
        assert at_once.train_step() == pytest.approx(in_two.train_step(), abs=1e-5)
    for name, value in at_once.soft.values().items():
        assert torch.allclose(value, in_two.soft.values()[name], atol=1e-4), name


def test_every_part_is_read_with_its_own_prompts_though_ids_repeat(trainer: MakeTrainer) -> None:
    run = trainer()
    prompts = [example.prompt for example in (*run._train, *run._validation)]
    assert {example.id for example in run._train} & {example.id for example in run._validation}
    assert len(run._prompts) == len(set(prompts)) == 12


def test_examples_without_keywords_are_compared_with_the_empty_text(
    trainer: MakeTrainer, generator: StableDiffusionGenerator, tmp_path: Path
) -> None:
    folder = ExampleFolder(tmp_path / "bare")
    folder.begin({"scenario": "reference", "space": generator.spec.space, "modality": "image", "models": {}})
    for part in ("train", "validation"):
        bare = [
            dataclasses.replace(example, preference=Keywords(), target=Keywords())
            for example in tiny_examples(part, 4)
        ]
        folder.write(part, 0, bare, users=4)
    outcome = trainer(folder=folder, steps=1).run()
    assert outcome.keywords_alone > 0


@pytest.mark.parametrize("change", [{"seed": 9}, {"rate": 0.5}, {"tokens": 1}])
def test_a_run_of_another_recipe_is_refused(trainer: MakeTrainer, change: dict[str, Any]) -> None:
    trainer(steps=1).run()
    with pytest.raises(ConfigError, match="another recipe"):
        trainer(steps=1, **change)


def test_a_run_on_other_examples_is_refused(
    trainer: MakeTrainer, generator: StableDiffusionGenerator, tmp_path: Path
) -> None:
    trainer(steps=1).run()
    assert generator.spec.space is not None
    other = example_folder(tmp_path / "other", generator.spec.space, train=5)
    with pytest.raises(ConfigError, match="other examples"):
        trainer(steps=1, folder=other)


def test_a_run_for_another_kind_of_generator_is_refused(llm_folder: Path, tmp_path: Path) -> None:
    """In the toy world tokens and vectors have one space."""
    folder = example_folder(tmp_path / "toys", str(ReferenceGenerator().spec.space), shape=(WIDTH,))

    def run(kind: ConditioningKind) -> Trainer:
        generator = ReferenceGenerator(conditioning=kind)
        recipe = Recipe(tokens=2, steps=1, batch=4)
        return Trainer(folder, tmp_path / "run", llm=str(llm_folder), generator=generator, recipe=recipe)

    run("sequence").run()
    with pytest.raises(ConfigError, match="kind of generator, tokens; this one's is one vector of length"):
        run("pooled")


def test_a_text_encoder_without_a_vector_cannot_be_trained_beside(llm_folder: Path, tmp_path: Path) -> None:
    class Tokens(ReferenceTextEncoder):
        def encode(self, texts: Sequence[str]) -> list[Conditioning]:
            return [dataclasses.replace(each, pooled=None) for each in super().encode(texts)]

    generator = ReferenceGenerator(conditioning="pooled")
    folder = example_folder(tmp_path / "toys", str(generator.spec.space), shape=(WIDTH,))
    with pytest.raises(CapabilityError, match="gives a pooled vector was expected"):
        Trainer(folder, tmp_path / "run", llm=str(llm_folder), generator=generator, text_encoder=Tokens())


def test_a_run_with_another_llm_is_refused(trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer(steps=1).run()
    with pytest.raises(ModelFolderError, match="weights differ"):
        trainer(steps=1, llm=llama_folder(tmp_path / "other", seed=5))


def test_an_exported_checkpoint_cannot_be_trained_on(trainer: MakeTrainer, tmp_path: Path) -> None:
    run = trainer(steps=1)
    run.run()
    SoftCheckpoint.load(run.out).exported().save(tmp_path / "exported")
    with pytest.raises(ConfigError, match="exported"):
        trainer("exported", steps=1)


def test_a_batch_that_does_not_divide_is_refused(trainer: MakeTrainer) -> None:
    with pytest.raises(ConfigError, match="divides"):
        trainer(batch=5, accumulate=2)


def test_a_generator_that_cannot_train_is_refused(llm_folder: Path, tmp_path: Path) -> None:
    folder = example_folder(tmp_path / "toys", str(ReferenceGenerator().spec.space))
    with pytest.raises(CapabilityError, match="supports training"):
        Trainer(folder, tmp_path / "run", llm=str(llm_folder), generator=Untrainable())
    text = ReferenceGenerator(conditioning="text")
    with pytest.raises(CapabilityError, match="ReferenceGenerator takes only text"):
        Trainer(folder, tmp_path / "run", llm=str(llm_folder), generator=text)


def test_examples_and_text_encoder_of_another_space_are_refused(
    trainer: MakeTrainer,
    generator: StableDiffusionGenerator,
    examples: ExampleFolder,
    llm_folder: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(SpaceMismatch, match="the generator"):
        trainer(folder=example_folder(tmp_path / "foreign", "another space"))
    with pytest.raises(SpaceMismatch, match="the text encoder"):
        Trainer(
            examples,
            tmp_path / "run",
            llm=str(llm_folder),
            generator=generator,
            text_encoder=ReferenceTextEncoder(),
        )


def test_examples_without_a_validation_part_are_refused(
    trainer: MakeTrainer, examples: ExampleFolder, tmp_path: Path
) -> None:
    shutil.copytree(examples.path, tmp_path / "half", ignore=shutil.ignore_patterns("validation-*"))
    with pytest.raises(InputError, match="'validation'"):
        trainer(folder=ExampleFolder(tmp_path / "half"))


def test_a_context_without_room_for_a_prompt_is_refused(trainer: MakeTrainer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no room for a prompt"):
        trainer(llm=llama_folder(tmp_path / "short", context=4))


def test_a_dry_run_measures_and_writes_nothing(trainer: MakeTrainer, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    found = dry_run(lambda: trainer("run", steps=100))
    assert set(tmp_path.iterdir()) == before
    # m: L x 48; prefix: S x layers x (key, value) x heads x head width; map: 48 x 32 and a bias of 32.
    assert found.trained == {"m": 2 * 48, "prefix": 3 * 2 * 2 * 2 * 12, "map": 48 * 32 + 32}
    assert found.examples == {"train": 8, "validation": 4}
    assert found.frozen > sum(found.trained.values())
    assert found.seconds == pytest.approx(100 * found.seconds_per_step)
    assert found.exported_bytes < found.checkpoint_bytes / 4
    run = trainer("run", steps=1)
    run.run()
    (weights,) = run.out.glob("*.safetensors")
    assert found.checkpoint_bytes == pytest.approx(weights.stat().st_size, rel=0.1)
    assert not (tmp_path / "run" / JSON_FILE).with_suffix(".part").exists()


def test_recipes_are_checked(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("steps = 20\nrate = 0.01\n")
    assert Recipe.load(tmp_path / "recipe.toml").steps == 20
    (tmp_path / "recipe.toml").write_text("stepz = 20\n")
    with pytest.raises(ConfigError, match="stepz"):
        Recipe.load(tmp_path / "recipe.toml")
    with pytest.raises(ConfigError, match="batch"):
        Recipe.of(batch=0)
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        Recipe.load(tmp_path / "nowhere.toml")
    (tmp_path / "recipe.toml").write_text("steps = = 2")
    with pytest.raises(ConfigError, match="TOML"):
        Recipe.load(tmp_path / "recipe.toml")
