"""What an export refuses, what it leaves behind, and what stands in its record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pmg_onnx import OnnxTextEncoder
from pmg_onnx.export import export_text_encoder
from pmg_onnx.export.parity import LIMITS, check, compare
from pmg_onnx.record import FILE
from pmg_sdk.errors import BackendError, ConfigError, ModelFolderError, StorageError
from pmg_transformers.text_encoder import TransformersTextEncoder


def test_the_record_tells_source_precision_and_parity(clip_model: Path, clip_export: Path) -> None:
    record = json.loads((clip_export / FILE).read_text())
    assert record["kind"] == "text encoder"
    assert record["source"] == str(clip_model)
    assert list(record["source_sha256"]) == ["model.safetensors"]
    assert record["precision"] == "fp32"
    assert record["parity"]["max_abs"] <= 1e-4
    assert {"torch", "onnx", "onnxruntime"} <= set(record["versions"])
    assert set(record["files"]) == {path.name for path in clip_export.iterdir()} - {FILE}


@pytest.mark.parametrize(("precision", "worst"), [("fp16", 5e-3), ("int8", 1.0)])
def test_smaller_precisions_keep_the_space_and_stay_near(
    precision: str, worst: float, clip_model: Path, tmp_path: Path
) -> None:
    record = export_text_encoder(str(clip_model), tmp_path / "out", precision=precision)  # type: ignore[arg-type]
    original = TransformersTextEncoder(str(clip_model), device="cpu")
    exported = OnnxTextEncoder(str(tmp_path / "out"))
    assert exported.space == original.space
    assert record.parity is not None
    assert record.parity.min_cosine >= 0.995
    (expected,), (found,) = original.encode(["dog face"]), exported.encode(["dog face"])
    np.testing.assert_allclose(found.embeds, expected.embeds, atol=worst)
    # Eight bits, too, are a function of the text alone.
    _, together, _ = exported.encode(["cat cats", "dog face", "red ones"])
    np.testing.assert_allclose(together.embeds, found.embeds, atol=1e-5)


def test_clip_skip_is_part_of_the_space(clip_model: Path, tmp_path: Path) -> None:
    export_text_encoder(str(clip_model), tmp_path / "out", clip_skip=1)
    original = TransformersTextEncoder(str(clip_model), clip_skip=1, device="cpu")
    exported = OnnxTextEncoder(str(tmp_path / "out"))
    assert exported.space == original.space
    (expected,), (found,) = original.encode(["dog face"]), exported.encode(["dog face"])
    np.testing.assert_allclose(found.embeds, expected.embeds, atol=1e-5)


@pytest.mark.parametrize("skip", [3, 9])
def test_a_layer_that_is_not_there_is_refused(skip: int, clip_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="clip_skip between 0 and 2"):
        export_text_encoder(str(clip_model), tmp_path / "out", clip_skip=skip)
    assert list(tmp_path.iterdir()) == []


def test_limits_of_parity_are_said_with_by_how_much() -> None:
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(BackendError, match=r"0\.0001 .* got 0\.01 \(100\.0 times as much\)"):
        check(compare([rows], [rows + np.float32(0.01)]), "fp32")
    with pytest.raises(BackendError, match=r"0\.995 .* got 0\.[0-9]+ \(0\.[0-9]+ below\)"):
        check(compare([rows], [rows + np.float32(0.2)]), "int8")
    with pytest.raises(BackendError, match="no numbers"):
        compare([rows], [rows * np.float32(np.nan)])


def test_an_export_out_of_limits_leaves_nothing(
    clip_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "fp32", (1e-12, -1.0))
    with pytest.raises(BackendError, match="Nothing was written"):
        export_text_encoder(str(clip_model), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_in_it_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="something else"):
        export_text_encoder("nowhere-at-all", tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_earlier_export_is_replaced(clip_export: Path, bert_model: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(clip_export, tmp_path / "out"))
    export_text_encoder(str(bert_model), out)
    assert OnnxTextEncoder(str(out)).space.startswith("bert-")


@pytest.mark.parametrize("name", ["text_encoder.onnx", "text_encoder.onnx.data", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_damaged_exports_are_named_by_file(name: str, damage: str, clip_export: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(clip_export, tmp_path / "copy"))
    file = folder / name
    if damage == "gone":
        file.unlink()
    else:
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2] if damage == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ModelFolderError, match=f"{name}.*export it again"):
        OnnxTextEncoder(str(folder)).encode(["dog"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 1 was expected"),
        ({"towers": []}, "towers"),
        ({"precision": "fp8"}, "precision"),
        ({"files": {"../outside.onnx": "0" * 64}}, "files"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_record_that_says_something_else_is_refused(
    change: dict[str, object], said: str, clip_export: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(clip_export, tmp_path / "copy"))
    record = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps(record | change))
    with pytest.raises(ModelFolderError, match=said):
        _ = OnnxTextEncoder(str(folder)).space


def test_a_graph_that_is_none_is_refused_where_its_record_was_changed_too(
    clip_export: Path, tmp_path: Path
) -> None:
    import hashlib

    folder = Path(shutil.copytree(clip_export, tmp_path / "copy"))
    (folder / "text_encoder.onnx").write_bytes(b"not a graph")
    record = json.loads((folder / FILE).read_text())
    record["files"]["text_encoder.onnx"] = hashlib.sha256(b"not a graph").hexdigest()
    (folder / FILE).write_text(json.dumps(record))
    with pytest.raises(ModelFolderError, match="cannot open it"):
        OnnxTextEncoder(str(folder)).load()


def test_a_folder_that_was_not_exported_is_told_apart(clip_model: Path, tmp_path: Path) -> None:
    for place in (clip_model, tmp_path / "nowhere"):
        with pytest.raises(ModelFolderError, match="pmg export text-encoder --from MODEL"):
            _ = OnnxTextEncoder(str(place)).space


def test_a_model_of_an_unknown_kind_is_refused(clip_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(clip_model, tmp_path / "other"))
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace("clip_text_model", "gpt2"))
    with pytest.raises(ModelFolderError, match="gpt2"):
        export_text_encoder(str(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()
