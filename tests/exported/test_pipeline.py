"""A generator takes an exported encoder through the config, and refuses one of another space."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models
from tiny_models.dual_encoders import clip_folder

import pmg_conformance.reference.plugin
import pmg_onnx.plugin
import pmg_stable_diffusion.plugin
import pmg_transformers.plugin
from pmg_onnx.export import export_scorer, export_text_encoder
from pmg_sdk import Behavior, PMGPipeline, Registry
from pmg_sdk.errors import ConfigError, SpaceMismatch

BEHAVIOR = Behavior(history=["cat face, flat design style", "tiger face, flat design style"])


@pytest.fixture(scope="module")
def installed() -> Registry:
    made = Registry(strict=True)
    plugins = (
        pmg_conformance.reference.plugin,
        pmg_transformers.plugin,
        pmg_stable_diffusion.plugin,
        pmg_onnx.plugin,
    )
    for plugin in plugins:
        made.register(plugin, plugin.__name__)
    return made


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two generators, a scorer, and exports of the first one's encoder and of the scorer."""
    root = tmp_path_factory.mktemp("models")
    for name in ("sd", "xl", "clip"):
        (root / name).mkdir()
    made = {"sd": tiny_models.sd15_folder(root / "sd"), "xl": tiny_models.sdxl_folder(root / "xl")}
    made["clip"] = clip_folder(root / "clip")
    export_text_encoder(str(made["sd"]), root / "text")
    export_text_encoder(str(made["xl"]), root / "pair")
    export_scorer(str(made["clip"]), root / "scorer")
    return made | {name: root / name for name in ("text", "pair", "scorer")}


def settings(models: dict[str, Path], generator: str, scorer: str, encoder: str | None) -> str:
    chosen = {"clip": "clip", "scorer": "onnx"}[scorer]
    swapped = (
        f'[text_encoder]\nadapter = "onnx"\noptions = {{ model = "{models[encoder]}" }}' if encoder else ""
    )
    return f"""
scenario = "reference"
weights = ["1:0.5", "0.5:1"]
steps = 2

[llm]
adapter = "reference"

[generator]
adapter = "stable-diffusion"
options = {{ model = "{models[generator]}", device = "cpu" }}

[scorer]
adapter = "{chosen}"
options = {{ model = "{models[scorer]}" }}

{swapped}
"""


def pipeline(toml: str, installed: Registry, folder: Path) -> PMGPipeline:
    (folder / "settings.toml").write_text(toml)
    return PMGPipeline.from_config(folder / "settings.toml", plugins=installed)


@pytest.mark.parametrize(("generator", "encoder"), [("sd", "text"), ("xl", "pair")])
def test_exported_parts_choose_the_same_picture(
    generator: str, encoder: str, models: dict[str, Path], installed: Registry, tmp_path: Path
) -> None:
    by_torch = pipeline(settings(models, generator, "clip", None), installed, tmp_path)
    by_onnx = pipeline(settings(models, generator, "scorer", encoder), installed, tmp_path)
    one, two = (each.generate(BEHAVIOR, "I got the job!") for each in (by_torch, by_onnx))
    assert two.winner.weights == one.winner.weights
    for first, second in zip(one.candidates, two.candidates, strict=True):
        assert second.z == pytest.approx(first.z, abs=1e-3)
    assert by_onnx.roles.models["text_encoder"]["model"] == str(models[encoder])


def test_an_encoder_of_another_space_is_refused_by_name(
    models: dict[str, Path], installed: Registry, tmp_path: Path
) -> None:
    wrong = pipeline(settings(models, "sd", "clip", "pair"), installed, tmp_path)
    with pytest.raises(
        SpaceMismatch, match=r"'text_encoder': one of space 'clip-\d+-[0-9a-f]+' was expected.*'clip\+clip-"
    ):
        wrong.generate(BEHAVIOR, "I got the job!")


def test_a_scorer_of_sounds_is_refused_for_pictures(
    models: dict[str, Path], sound_export: Path, installed: Registry, tmp_path: Path
) -> None:
    wrong = pipeline(settings(models | {"scorer": sound_export}, "sd", "scorer", None), installed, tmp_path)
    with pytest.raises(ConfigError, match=r"'scorer': one for image was expected.*got one for audio"):
        wrong.generate(BEHAVIOR, "I got the job!")
