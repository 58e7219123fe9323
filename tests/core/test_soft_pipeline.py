"""Soft preference embeddings in the pipeline: given, misfit, switched off."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pmg_conformance.reference import (
    ReferenceGenerator,
    ReferenceLanguageModel,
    ReferenceSoftPreferenceEncoder,
)
from pmg_sdk import Behavior, Conditioning, PMGPipeline, Registry
from pmg_sdk.errors import ConfigError, PMGError, SpaceMismatch
from pmg_sdk.interfaces import Chat, SoftPreferenceEncoder
from pmg_sdk.progress import Observer

BLUE = Behavior(history=["a blue cat", "a blue frog, minimal", "something blue"])


def test_soft_embeddings_join_in_when_an_encoder_is_given(pipeline: PMGPipeline, plugins: Registry) -> None:
    encoder = ReferenceSoftPreferenceEncoder(length=3)
    soft = PMGPipeline.from_scenario("reference", plugins=plugins, soft_preference=encoder)
    result = soft.generate(BLUE, "a dog")
    assert result.preference.soft is not None
    assert result.preference.soft.tokens == 3
    assert result.media != pipeline.generate(BLUE, "a dog").media
    assert "soft_preference" in result.made_by.models


class TrainedElsewhere(ReferenceSoftPreferenceEncoder):
    """A soft preference encoder of another scenario."""

    @property
    def scenario(self) -> str | None:
        return "costume"

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        raise AssertionError("an encoder that does not fit was used")


class Mute(ReferenceLanguageModel):
    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        raise AssertionError("the language model was asked")


class Unready(ReferenceGenerator):
    def load(self, observer: Observer | None = None) -> None:
        raise AssertionError("weights were loaded")


class Untouchable(SoftPreferenceEncoder):
    """Fails at whatever is asked of it."""

    @property
    def space(self) -> str:
        raise AssertionError("an encoder that is switched off was asked for its space")

    @property
    def scenario(self) -> str | None:
        raise AssertionError("an encoder that is switched off was asked for its scenario")

    def load(self, observer: Observer | None = None) -> None:
        raise AssertionError("an encoder that is switched off was loaded")

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        raise AssertionError("an encoder that is switched off was used")


MISFITS = [
    (
        ReferenceSoftPreferenceEncoder(space="elsewhere"),
        SpaceMismatch,
        "space 'reference' was expected.*'elsewhere'.*pmg train.*use_soft=false",
    ),
    (
        TrainedElsewhere(),
        ConfigError,
        "scenario 'reference' was expected.*'costume'.*pmg train.*use_soft=false",
    ),
]


@pytest.mark.parametrize(("encoder", "error", "told"), MISFITS)
def test_a_soft_encoder_that_does_not_fit_is_refused_before_the_language_model_is_asked(
    plugins: Registry, encoder: SoftPreferenceEncoder, error: type[PMGError], told: str
) -> None:
    pipeline = PMGPipeline.from_scenario("reference", plugins=plugins, soft_preference=encoder, llm=Mute())
    with pytest.raises(error, match=told):
        pipeline.preference(BLUE)


@pytest.mark.parametrize(("encoder", "error", "told"), MISFITS)
def test_a_soft_encoder_that_does_not_fit_is_refused_before_weights_are_loaded(
    pipeline: PMGPipeline,
    plugins: Registry,
    encoder: SoftPreferenceEncoder,
    error: type[PMGError],
    told: str,
) -> None:
    preference, target = pipeline.preference(BLUE), pipeline.target("a dog")
    other = PMGPipeline.from_scenario(
        "reference", plugins=plugins, soft_preference=encoder, generator=Unready()
    )
    with pytest.raises(error, match=told):
        other.plan(preference, target)


def test_a_soft_encoder_that_is_switched_off_is_never_touched(
    pipeline: PMGPipeline, plugins: Registry
) -> None:
    off = PMGPipeline.from_scenario(
        "reference", plugins=plugins, soft_preference=Untouchable(), use_soft=False
    )
    off.load()
    made, plain = off.generate(BLUE, "a dog").candidates, pipeline.generate(BLUE, "a dog").candidates
    assert [candidate.media for candidate in made] == [candidate.media for candidate in plain]
    assert "soft_preference" not in off.made_by.models


def test_a_generator_that_takes_only_text_warns_of_a_soft_encoder(plugins: Registry) -> None:
    pipeline = PMGPipeline.from_scenario(
        "reference",
        plugins=plugins,
        soft_preference=ReferenceSoftPreferenceEncoder(space="elsewhere"),
        generator=ReferenceGenerator(conditioning="text"),
    )
    assert any("embeddings are not used" in warning for warning in pipeline.generate(BLUE, "a dog").warnings)
