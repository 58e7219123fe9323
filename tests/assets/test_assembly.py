"""An embedded model folder is put together from shipped weights and from assets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

import pmg_models
from pmg_sdk.assets import ASSEMBLIES, Assembly, Merge, Part, fetch
from pmg_sdk.assets.safetensors_merge import merge_safetensors
from pmg_sdk.errors import AssetCorrupt, AssetError

from .conftest import MakeAsset


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped weights."""
    root = tmp_path / "shipped"
    (root / "unet").mkdir(parents=True)
    (root / "model_index.json").write_text("{}")
    save_file({"w": np.ones(3, np.float16)}, root / "unet" / "model.safetensors")
    monkeypatch.setattr(pmg_models, "folder_of", lambda name: root)
    return root


def assembled(monkeypatch: pytest.MonkeyPatch, **fields: object) -> str:
    assembly = Assembly("toy-folder", "a toy", "CC0-1.0", "this test", "toy", **fields)  # type: ignore[arg-type]
    monkeypatch.setitem(ASSEMBLIES, "toy-folder", assembly)  # type: ignore[arg-type]
    return "toy-folder"


def test_parts_go_into_subfolders_beside_what_ships(
    publish: MakeAsset, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(b"text encoder")
    folder = fetch(assembled(monkeypatch, parts={"text_encoder": Part("toy", ("weights.bin",))}))
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"model_index.json", "unet/model.safetensors", "text_encoder/weights.bin"} <= files
    assert (folder / "text_encoder" / "weights.bin").read_bytes() == b"text encoder"


def test_new_shipped_weights_make_a_new_folder(
    publish: MakeAsset, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    name = assembled(monkeypatch, parts={"text_encoder": Part("toy", ("weights.bin",))})
    before = fetch(name)
    assert fetch(name) == before
    (shipped / "model_index.json").write_text('{"retrained": true}')
    assert fetch(name) != before


def test_two_halves_become_one_weight_file(
    publish: MakeAsset, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = {"embeddings": np.arange(4, dtype=np.float32), "position_ids": np.arange(2)}
    publish(save(half))
    merge = Merge(
        "model.safetensors", "unet/model.safetensors", "toy", "weights.bin", "text.", ("position_ids",)
    )
    folder = fetch(assembled(monkeypatch, merges=(merge,)))
    tensors = load_file(folder / "model.safetensors")
    assert set(tensors) == {"w", "text.embeddings"}
    np.testing.assert_array_equal(tensors["text.embeddings"], half["embeddings"])
    assert tensors["w"].dtype == np.float16
    assert not (folder / "unet").exists()


def test_an_installation_without_the_shipped_half_says_so(
    publish: MakeAsset, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    merge = Merge("model.safetensors", "towers.safetensors", "toy", "weights.bin", "text.")
    with pytest.raises(AssetError, match=r"towers\.safetensors"):
        fetch(assembled(monkeypatch, merges=(merge,)))


def test_merging_refuses_a_name_twice(tmp_path: Path) -> None:
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "a")
    with pytest.raises(AssetCorrupt, match="'w'"):
        merge_safetensors(tmp_path / "a", tmp_path / "a", tmp_path / "both", prefix="")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 not tensors at all",
        b"\xff" * 100,
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
    ],
    ids=["empty", "zip", "noise", "nested too deeply"],
)
def test_merging_refuses_what_is_not_safetensors(tmp_path: Path, data: bytes) -> None:
    save_file({"w": np.ones(2, np.float32)}, tmp_path / "a")
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(AssetCorrupt, match="b is not one"):
        merge_safetensors(tmp_path / "a", tmp_path / "b", tmp_path / "both", prefix="x.")


def test_merging_refuses_a_file_that_is_cut_short(tmp_path: Path) -> None:
    save_file({"w": np.ones(200, np.float32)}, tmp_path / "a")
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:-8])
    with pytest.raises(AssetCorrupt, match="cut short"):
        merge_safetensors(tmp_path / "a", tmp_path / "b", tmp_path / "both", prefix="x.")
