"""dL/dE of a frozen Stable Diffusion: right, repeatable, and the same in any batch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_media import pictures, sound

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import CapabilityError, InputError, ModelFolderError, SpaceMismatch
from pmg_sdk.interfaces import SupportsTraining, TrainingLoss
from pmg_stable_diffusion import StableDiffusionGenerator

SHAPES = ("sd15_model", "sd21_model", "sdxl_model", "embedded_model")
TEXTS = ("dog", "red apple in the snow", "cat")


def on_cpu(model: Path, **options: Any) -> StableDiffusionGenerator:
    return StableDiffusionGenerator(model=str(model), device="cpu", dtype="float32", **options)


@pytest.fixture(params=SHAPES)
def any_shape(request: pytest.FixtureRequest) -> StableDiffusionGenerator:
    return on_cpu(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def sd15(sd15_model: Path) -> StableDiffusionGenerator:
    return on_cpu(sd15_model)


def problem(generator: StableDiffusionGenerator, count: int = 3) -> dict[str, Any]:
    return {
        "conditionings": generator.text_encoder.encode(TEXTS[:count]),
        "targets": generator.training_targets(pictures(count, seed=3)),
        "seeds": list(range(10, 10 + count)),
    }


def entry(given: dict[str, Any], place: int) -> dict[str, Any]:
    return {name: [values[place]] for name, values in given.items()}


def test_latents_have_one_shape_and_unit_scale(any_shape: StableDiffusionGenerator) -> None:
    assert isinstance(any_shape, SupportsTraining)
    pictured = [*pictures(2, size=(40, 90)), *pictures(1, size=any_shape.spec.size or (8, 8))]
    latents = any_shape.training_targets(pictured)
    assert len({latent.shape for latent in latents}) == 1
    assert all(latent.dtype == np.float32 for latent in latents)
    again = any_shape.training_targets(pictured[::-1])[::-1]
    assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(latents, again, strict=True))


def test_gradients_have_the_shape_of_their_conditioning(any_shape: StableDiffusionGenerator) -> None:
    given = problem(any_shape)
    found = any_shape.training_loss(**given, draws=2)
    assert found.values.shape == (3,)
    assert (found.values > 0).all()
    for slope, conditioning in zip(found.gradients, given["conditionings"], strict=True):
        assert slope.embeds.shape == conditioning.embeds.shape
        assert slope.space == conditioning.space
        assert np.abs(slope.embeds).max() > 0
        assert (slope.pooled is None) == (conditioning.pooled is None)


def test_gradients_agree_with_finite_differences(any_shape: StableDiffusionGenerator) -> None:
    given = entry(problem(any_shape, 1), 0)
    (conditioning,) = given["conditionings"]
    (slope,) = any_shape.training_loss(**given, draws=2).gradients
    random = np.random.default_rng(0)

    def loss(embeds: Any, pooled: Any) -> float:
        moved = dataclasses.replace(conditioning, embeds=embeds, pooled=pooled)
        again = {**given, "conditionings": [moved]}
        return float(any_shape.training_loss(**again, draws=2, gradients=False).values[0])

    def check(stated: Any, values: Any, make: Any) -> None:
        """Along the gradient itself, where the difference is largest, and along a random direction."""
        assert np.abs(stated).max() > 0
        for direction in (stated / np.linalg.norm(stated), random.standard_normal(stated.shape)):
            step = (0.3 * direction / np.linalg.norm(direction)).astype(np.float32)
            rise = (loss(*make(values + step)) - loss(*make(values - step))) / 2
            assert rise == pytest.approx(float((stated * step).sum()), rel=0.05, abs=3e-6)

    check(slope.embeds, conditioning.embeds, lambda moved: (moved, conditioning.pooled))
    if conditioning.pooled is not None:
        check(slope.pooled, conditioning.pooled, lambda moved: (conditioning.embeds, moved))


def same(one: TrainingLoss, other: TrainingLoss, place: int) -> None:
    assert one.values[0] == pytest.approx(other.values[place], abs=1e-6)
    first, second = one.gradients[0], other.gradients[place]
    assert np.allclose(first.embeds, second.embeds, atol=1e-6)
    if first.pooled is not None and second.pooled is not None:
        assert np.allclose(first.pooled, second.pooled, atol=1e-6)


def test_an_entry_is_the_same_alone_and_beside_longer_ones(any_shape: StableDiffusionGenerator) -> None:
    given = problem(any_shape)
    together = any_shape.training_loss(**given, draws=2)
    for place in range(3):
        same(any_shape.training_loss(**entry(given, place), draws=2), together, place)


@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_a_smaller_batch_gives_the_same(
    sd15: StableDiffusionGenerator, sd15_model: Path, batch_size: int
) -> None:
    given = problem(sd15)
    small = on_cpu(sd15_model, batch_size=batch_size).training_loss(**given, draws=2)
    whole = sd15.training_loss(**given, draws=2)
    for place in range(3):
        picked = TrainingLoss(small.values[place : place + 1], small.gradients[place : place + 1])
        same(picked, whole, place)


def test_seeds_decide_the_noise(sd15: StableDiffusionGenerator) -> None:
    given = problem(sd15)
    first = sd15.training_loss(**given).values
    assert np.array_equal(first, sd15.training_loss(**given).values)
    other = sd15.training_loss(**{**given, "seeds": [99, 11, 2**40]}).values
    assert first[1] == other[1]
    assert first[0] != other[0]
    assert first[2] != other[2]


def test_more_draws_vary_less(sd15: StableDiffusionGenerator) -> None:
    given = problem(sd15, 1)

    def spread(draws: int) -> float:
        values = [
            sd15.training_loss(**{**given, "seeds": [seed]}, draws=draws, gradients=False).values[0]
            for seed in range(12)
        ]
        return float(np.std(values))

    assert spread(16) < spread(1) / 2


def test_without_gradients_the_loss_is_the_same(sd15: StableDiffusionGenerator) -> None:
    given = problem(sd15)
    found = sd15.training_loss(**given, draws=2, gradients=False)
    assert found.gradients == ()
    assert np.allclose(found.values, sd15.training_loss(**given, draws=2).values, atol=1e-6)


def test_the_networks_stay_as_they_are(sd15: StableDiffusionGenerator) -> None:
    unet = sd15._loss.model.unet
    before = [value.clone() for value in unet.parameters()]
    sd15.training_loss(**problem(sd15))
    for value, parameter in zip(before, unet.parameters(), strict=True):
        assert parameter.grad is None
        assert not parameter.requires_grad
        assert bool((value == parameter).all())


def test_half_precision_points_the_same_way(sd15: StableDiffusionGenerator, sd15_model: Path) -> None:
    given = problem(sd15)
    halved = StableDiffusionGenerator(model=str(sd15_model), device="cpu", dtype="bfloat16")
    rough, exact = halved.training_loss(**given, draws=4), sd15.training_loss(**given, draws=4)
    assert np.allclose(rough.values, exact.values, rtol=0.02)
    for one, other in zip(rough.gradients, exact.gradients, strict=True):
        cosine = (one.embeds * other.embeds).sum() / (
            np.linalg.norm(one.embeds) * np.linalg.norm(other.embeds)
        )
        assert cosine > 0.95


def test_nothing_costs_nothing(sd15: StableDiffusionGenerator) -> None:
    found = sd15.training_loss([], [], [])
    assert found.values.shape == (0,)
    assert found.gradients == ()
    assert sd15.training_targets([]) == []


def test_what_does_not_fit_is_refused(sd15: StableDiffusionGenerator, sd21_model: Path) -> None:
    given = problem(sd15)
    with pytest.raises(SpaceMismatch):
        sd15.training_loss(**{**given, "conditionings": on_cpu(sd21_model).text_encoder.encode(TEXTS)})
    with pytest.raises(InputError, match="3 conditionings, 3 targets and 2 seeds"):
        sd15.training_loss(**{**given, "seeds": [1, 2]})
    width = given["conditionings"][0].embeds.shape[1]
    empty = Conditioning(np.zeros((0, width), np.float32), str(sd15.spec.space))
    with pytest.raises(InputError, match="at least one token"):
        sd15.training_loss([empty], given["targets"][:1], [1])
    with pytest.raises(CapabilityError):
        sd15.training_targets([sound()])


def test_a_network_that_predicts_something_else_is_refused(
    sd15: StableDiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = sd15._loss
    monkeypatch.setitem(sd15._folder.scheduler, "prediction_type", "flow")  # type: ignore[arg-type]
    assert loss.scheduler_config is sd15._folder.scheduler
    with pytest.raises(ModelFolderError, match="predicts epsilon, v_prediction, sample"):
        sd15.training_loss(**problem(sd15))
