"""Exported scorers of sounds against transformers' CLAP: the same windows, the same rows."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sample_media import pictures
from tiny_models.clap import RATE, clap_folder

from pmg_onnx import OnnxScorer
from pmg_onnx.export import export_scorer
from pmg_onnx.export.probes import sounds
from pmg_onnx.record import FILE, Precision
from pmg_sdk.audio import Audio
from pmg_sdk.errors import CapabilityError, ModelFolderError
from pmg_transformers.clap import ClapScorer
from recipes.music.dual_encoder import AUDIO

TEXTS = ["a dog", "", "soft piano, calm", "狗 \ud83d", "sad cat with a ball " * 40]
HEARD = {
    "feature_size": 64,
    "max_length_s": 4,
    "hop_length": 256,
    "fft_window_size": 1024,
    "frequency_max": 8000,
}


def heard() -> list[Audio]:
    """Shorter and longer than a window, of three rates, and a single sample."""
    return [
        *sounds(RATE, 1.0, seed=5),
        *sounds(44_100, 1.0, seed=6)[3:],
        *sounds(8_000, 1.0, seed=7)[-1:],
        Audio(np.full((1, 1), 9000, np.int16), RATE),
    ]


def pair(kind: str, request: pytest.FixtureRequest) -> tuple[ClapScorer, OnnxScorer]:
    model, export = (request.getfixturevalue(f"{kind}_{what}") for what in ("model", "export"))
    return ClapScorer(model=str(model), device="cpu"), OnnxScorer(str(export), device="cpu")


@pytest.mark.parametrize("kind", ["sound", "fused"])
def test_rows_are_those_of_the_original(kind: str, request: pytest.FixtureRequest) -> None:
    original, exported = pair(kind, request)
    np.testing.assert_allclose(exported.embed_text(TEXTS), original.embed_text(TEXTS), atol=1e-5)
    np.testing.assert_allclose(exported.embed_media(heard()), original.embed_media(heard()), atol=1e-5)
    assert exported.temperature_scale == pytest.approx(original.temperature_scale)


@pytest.mark.parametrize("kind", ["sound", "fused"])
def test_batch_does_not_change_rows(kind: str, request: pytest.FixtureRequest) -> None:
    many = request.getfixturevalue(f"{kind}_export")
    one = OnnxScorer(str(many), device="cpu", batch_size=1)
    np.testing.assert_allclose(
        one.embed_media(heard()), OnnxScorer(str(many), device="cpu").embed_media(heard()), atol=1e-5
    )


def test_the_record_tells_how_sounds_are_heard(sound_export: Path, scorer_export: Path) -> None:
    record = json.loads((sound_export / FILE).read_text())
    assert record["sound"]["hearing"] == {
        "fused": False,
        "rate": RATE,
        "length": RATE,
        "padding": "repeatpad",
        "hop": 100,
        "filters": "mel.npy",
    }
    assert record["image"] is None
    assert list(record["source_sha256"]) == ["model.safetensors"]
    assert set(record["files"]) == {path.name for path in sound_export.iterdir()} - {FILE}
    assert [OnnxScorer(str(each)).modality for each in (sound_export, scorer_export)] == ["audio", "image"]


def test_nothing_has_a_shape_too(sound_export: Path) -> None:
    exported = OnnxScorer(str(sound_export), device="cpu")
    assert exported.embed_text([]).shape == exported.embed_media([]).shape == (0, 16)


def test_a_picture_is_refused(sound_export: Path) -> None:
    with pytest.raises(CapabilityError, match="an Audio was expected; got Image, which an exported scorer"):
        OnnxScorer(str(sound_export), device="cpu").embed_media(pictures(1))


@pytest.mark.parametrize(("precision", "worst"), [("fp16", 5e-3), ("int8", 1.0)])
def test_smaller_precisions_stay_near(
    precision: Precision, worst: float, sound_model: Path, sound_export: Path, tmp_path: Path
) -> None:
    record = export_scorer(str(sound_model), tmp_path / "out", precision=precision)
    assert record.parity is not None
    assert record.parity.min_cosine >= 0.995
    small = OnnxScorer(str(tmp_path / "out"), device="cpu").embed_media(heard())
    exact = OnnxScorer(str(sound_export), device="cpu").embed_media(heard())
    np.testing.assert_allclose(small, exact, atol=worst)
    assert (small * exact).sum(axis=1).min() >= 0.99
    sizes = [(folder / "sound.onnx.data").stat().st_size for folder in (tmp_path / "out", sound_export)]
    assert sizes[0] < sizes[1]


def test_windows_of_other_lengths_are_stretched_to_the_tower_s_size(tmp_path: Path) -> None:
    """Those of a model of four seconds: 251 frames in a tower of 256."""
    (tmp_path / "model").mkdir()
    model = clap_folder(tmp_path / "model", audio=AUDIO, heard=HEARD)
    original = ClapScorer(model=str(model), device="cpu")
    assert original.features.frames == 251
    export_scorer(str(model), tmp_path / "out")
    media = sounds(RATE, 4.0, seed=3)
    exported = OnnxScorer(str(tmp_path / "out"), device="cpu")
    np.testing.assert_allclose(exported.embed_media(media), original.embed_media(media), atol=1e-5)


def test_a_folder_that_contradicts_itself_is_not_exported(sound_model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(sound_model, tmp_path / "copy"))
    settings = json.loads((copy / "processor_config.json").read_text())
    settings["feature_extractor"]["truncation"] = "fusion"
    (copy / "processor_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelFolderError, match="enable_fusion is False"):
        export_scorer(str(copy), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"no numbers", b""])
def test_filters_that_are_none_are_refused_where_the_record_was_changed_too(
    content: bytes, sound_export: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sound_export, tmp_path / "copy"))
    (folder / "mel.npy").write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"mel\.npy.*export it again"):
        OnnxScorer(str(folder)).load()
    record = json.loads((folder / FILE).read_text())
    record["files"]["mel.npy"] = sha256(content).hexdigest()
    (folder / FILE).write_text(json.dumps(record))
    with pytest.raises(ModelFolderError, match=r"mel filters were expected.*Export it again"):
        OnnxScorer(str(folder)).load()
