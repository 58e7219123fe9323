"""A trained checkpoint in the pipeline: kept with a preference, E_m conditions alone or beside keywords."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pmg_conformance.reference.plugin
import pmg_transformers.plugin
from pmg_sdk import Behavior, PMGPipeline, UserPreference
from pmg_sdk.errors import ConfigError, SpaceMismatch
from pmg_sdk.plugins import Registry
from pmg_sdk.soft_prompt import soft_prompt
from pmg_stable_diffusion import StableDiffusionGenerator
from pmg_transformers.soft_preference.checkpoint import JSON_FILE
from pmg_transformers.soft_preference.encoder import TransformersSoftPreferenceEncoder

from .conftest import MakeTrainer

USER = Behavior(history=("blue cat", "blue cat in the snow"), conversation=("good morning",))


@pytest.fixture
def soft(trainer: MakeTrainer) -> Path:
    run = trainer(steps=2, validate_every=1)
    run.run()
    return run.out


@pytest.fixture
def plugins() -> Registry:
    made = Registry(strict=True)
    made.register(pmg_conformance.reference.plugin, "pmg_conformance.reference")
    made.register(pmg_transformers.plugin, "pmg_transformers")
    return made


def pipeline(
    generator: StableDiffusionGenerator, plugins: Registry, soft: Path, **settings: object
) -> PMGPipeline:
    chosen = {"adapter": "transformers", "options": {"model": str(soft), "device": "cpu"}}
    return PMGPipeline.from_scenario(
        "reference",
        generator=generator,
        soft_preference=chosen,
        plugins=plugins,
        weights=["1:1"],
        steps=1,
        **settings,
    )


def test_soft_tokens_are_kept_with_the_preference(
    generator: StableDiffusionGenerator, plugins: Registry, soft: Path, tmp_path: Path
) -> None:
    made = pipeline(generator, plugins, soft)
    preference = made.preference(USER)
    assert preference.soft is not None
    assert preference.summary is not None
    assert preference.soft.embeds.shape == (2, 32)
    direct = TransformersSoftPreferenceEncoder(model=str(soft), device="cpu")
    (expected,) = direct.encode([soft_prompt(preference.summary, made.scenario)])
    assert np.array_equal(preference.soft.embeds, expected.embeds)
    preference.save(tmp_path / "kept.json")
    kept = UserPreference.load(tmp_path / "kept.json")
    assert kept.soft is not None
    assert np.array_equal(kept.soft.embeds, preference.soft.embeds)
    one, other = made.generate(preference, "a red sun"), made.generate(kept, "a red sun")
    assert one.media == other.media


def test_both_soft_tokens_alone_and_keywords_alone_are_three_things(
    generator: StableDiffusionGenerator, plugins: Registry, soft: Path
) -> None:
    settings: dict[str, dict[str, object]] = {
        "both": {},
        "soft": {"use_keywords": False},
        "keywords": {"use_soft": False},
    }
    results = {}
    for name, chosen in settings.items():
        results[name] = pipeline(generator, plugins, soft, **chosen).generate(USER, "a red sun")
    tokens = {}
    for name, result in results.items():
        conditioning = result.plan.drafts[0].request.conditioning
        assert conditioning is not None
        tokens[name] = conditioning.tokens
    assert tokens["both"] == tokens["keywords"] + 2
    assert len(set(tokens.values())) == 3
    assert results["keywords"].preference.soft is None
    media = [result.media for result in results.values()]
    assert media[0] != media[1] != media[2] != media[0]


def test_a_checkpoint_of_another_text_space_is_refused(
    generator: StableDiffusionGenerator, plugins: Registry, soft: Path
) -> None:
    path = soft / JSON_FILE
    path.write_text(path.read_text().replace(str(generator.spec.space), "another space"))
    with pytest.raises(SpaceMismatch, match="another space"):
        pipeline(generator, plugins, soft).generate(USER, "a red sun")


def test_a_checkpoint_of_another_scenario_is_refused(
    generator: StableDiffusionGenerator, plugins: Registry, soft: Path
) -> None:
    path = soft / JSON_FILE
    path.write_text(path.read_text().replace('"scenario": "reference"', '"scenario": "emoticons"'))
    with pytest.raises(ConfigError, match="got one of 'emoticons'"):
        pipeline(generator, plugins, soft).generate(USER, "a red sun")
