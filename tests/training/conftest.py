"""What the tests of training share: tiny models, and a run on a tiny problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tiny_models.fixtures import audioldm2_model, audioldm_model, sd15_model, sd21_model, sdxl_model
from tiny_models.language_models import llama_folder
from tiny_models.training import example_folder

from pmg_conformance.reference import ReferenceGenerator
from pmg_sdk.interfaces import GenerationRequest, Generator, GeneratorSpec
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer
from pmg_sdk.training import ExampleFolder
from pmg_stable_diffusion import StableDiffusionGenerator
from pmg_transformers.soft_preference.recipe import Recipe
from pmg_transformers.soft_preference.trainer import Trainer

__all__ = [
    "MakeTrainer",
    "Untrainable",
    "audioldm2_model",
    "audioldm_model",
    "sd15_model",
    "sd21_model",
    "sdxl_model",
]


class Untrainable(Generator):
    """Draws, and cannot say how to do better."""

    @property
    def spec(self) -> GeneratorSpec:
        return ReferenceGenerator().spec

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        return ReferenceGenerator().generate(requests, observer)


MakeTrainer = Callable[..., Trainer]

QUICK: dict[str, Any] = {
    "tokens": 2,
    "prefix": 3,
    "steps": 6,
    "batch": 4,
    "draws": 2,
    "validate_every": 3,
    "warmup": 0.0,
}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and sums come out alike."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def llm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama_folder(tmp_path_factory.mktemp("llm"))


@pytest.fixture(scope="session")
def generator(sd15_model: Path) -> StableDiffusionGenerator:
    return StableDiffusionGenerator(model=str(sd15_model), device="cpu", dtype="float32", steps=2)


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory, generator: StableDiffusionGenerator) -> ExampleFolder:
    return example_folder(tmp_path_factory.mktemp("examples"), generator.text_encoder.space)


@pytest.fixture
def trainer(
    tmp_path: Path, llm_folder: Path, generator: StableDiffusionGenerator, examples: ExampleFolder
) -> MakeTrainer:
    """`trainer(out="run", steps=6)`: a run in a folder of this test; settings are those of the recipe."""

    def make(
        out: str = "run", *, llm: Path = llm_folder, folder: ExampleFolder = examples, **s: Any
    ) -> Trainer:
        recipe = Recipe.of(**{**QUICK, **s})
        return Trainer(folder, tmp_path / out, llm=str(llm), generator=generator, recipe=recipe)

    return make
