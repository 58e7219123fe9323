"""One script, six generators by name: Stable Diffusion 1.5, 2.1, XL and the embedded model, AudioLDM 1 and 2.

The folders have the real architectures with small random weights; every other part is real too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from tiny_models.dual_encoders import clip_folder
from tiny_models.language_models import llama_folder

import pmg_audioldm.plugin
import pmg_conformance.reference.plugin
import pmg_stable_diffusion.plugin
import pmg_transformers.plugin
from pmg_sdk import Behavior, Image, Item, PMGPipeline, Registry
from pmg_sdk.audio import Audio
from pmg_sdk.replay import replay

BEHAVIOR = Behavior(
    history=["cat face, flat design style", "tiger face, flat design style", Item(text="dog", liked=False)]
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and on a busy machine lose seconds waiting for them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def installed() -> Registry:
    made = Registry(strict=True)
    for plugin in (
        pmg_conformance.reference.plugin,
        pmg_transformers.plugin,
        pmg_stable_diffusion.plugin,
        pmg_audioldm.plugin,
    ):
        made.register(plugin, plugin.__name__)
    return made


@pytest.fixture(scope="module")
def others(installed: Registry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The language model and the scorer, which stay as they are."""
    llm, clip = llama_folder(tmp_path_factory.mktemp("llm")), clip_folder(tmp_path_factory.mktemp("clip"))
    return {
        "llm": installed.create("llm", "transformers", {"model": str(llm)}),
        "scorer": installed.create("scorer", "clip", {"model": str(clip)}),
    }


@pytest.mark.parametrize("make_folder", ["sd15_folder", "sd21_folder", "sdxl_folder", "embedded_folder"])
def test_the_same_script_runs_every_generator(
    make_folder: str, others: dict[str, Any], installed: Registry, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    model = str(getattr(tiny_models, make_folder)(tmp_path / "model"))
    pipeline = PMGPipeline.from_scenario(
        "reference",
        plugins=installed,
        generator={"adapter": "stable-diffusion", "options": {"model": model}},
        weights=["0.5:1", "1:1"],
        steps=2,
        **others,
    )
    result = pipeline.generate(BEHAVIOR, "a happy message")
    assert isinstance(result.media, Image)
    assert result.media.size == pipeline.roles.generator.spec.size
    assert result.preference.keywords
    assert [str(candidate.weights) for candidate in result.candidates] == ["0.5:1", "1:1"]
    assert result.candidates[0].media != result.candidates[1].media
    assert replay(result.save(tmp_path / "out") / "result.json", pipeline=pipeline).reproduced


@pytest.mark.parametrize(
    ("name", "make_folder"), [("audioldm", "audioldm_folder"), ("audioldm2", "audioldm2_folder")]
)
def test_the_same_script_makes_sounds(
    name: str, make_folder: str, others: dict[str, Any], installed: Registry, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    model = str(getattr(tiny_models, make_folder)(tmp_path / "model"))
    pipeline = PMGPipeline.from_scenario(
        "reference",
        plugins=installed,
        llm=others["llm"],
        generator={"adapter": name, "options": {"model": model}},
        scorer={"adapter": "reference-sound"},
        weights=["0.5:1", "1:1"],
        steps=2,
    )
    result = pipeline.generate(BEHAVIOR, "a happy message")
    assert isinstance(result.media, Audio)
    assert [str(candidate.weights) for candidate in result.candidates] == ["0.5:1", "1:1"]
    assert result.candidates[0].media != result.candidates[1].media
    assert replay(result.save(tmp_path / "out") / "result.json", pipeline=pipeline).reproduced
