"""Pickles are read without running them, and become safetensors in torch's layout."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pmg_sdk.assets.conversions import CONVERSIONS, arrays_of_pickle
from pmg_sdk.errors import AssetCorrupt


def test_arrays_are_found_by_their_path() -> None:
    tree = {"net": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}}
    found = arrays_of_pickle(io.BytesIO(pickle.dumps(tree)))
    assert list(found) == ["net/kernel"]
    np.testing.assert_array_equal(found["net/kernel"], tree["net"]["kernel"])


def test_a_pickle_that_would_run_a_command_is_refused(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {ran}",)

    with pytest.raises(AssetCorrupt, match="system"):
        arrays_of_pickle(io.BytesIO(pickle.dumps({"kernel": Malicious()})))
    assert not ran.exists()


def test_arrays_of_objects_are_refused() -> None:
    with pytest.raises(AssetCorrupt):
        arrays_of_pickle(io.BytesIO(pickle.dumps({"kernel": np.array([object])})))


@pytest.mark.parametrize("data", [b"", b"not a pickle", pickle.dumps(["a list"])])
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(AssetCorrupt):
        arrays_of_pickle(io.BytesIO(data))


def test_kernels_become_out_in_height_width(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(11, 11, 3, 64)).astype(np.float32)
    sides = [(kernel, 64), *((np.ones((3, 3, 2, 4), np.float32), 4) for _ in range(4))]
    network = {
        f"Conv_{i}": {"kernel": weight, "bias": np.zeros(n, np.float32)}
        for i, (weight, n) in enumerate(sides)
    }
    heads = {f"NetLinLayer_{i}": {"Conv_0": {"kernel": np.ones((1, 1, 4, 1), np.float32)}} for i in range(5)}
    (tmp_path / "alexnet.ckpt").write_bytes(pickle.dumps({"AlexNet_0": network, **heads}))

    CONVERSIONS["lpips-alexnet"](tmp_path)

    tensors = load_file(tmp_path / "model.safetensors")
    assert tensors["features.0.weight"].shape == (64, 3, 11, 11)
    assert tensors["features.0.weight"][5, 1, 2, 3] == kernel[2, 3, 1, 5]
    assert tensors["lin4.weight"].shape == (1, 4, 1, 1)
    assert not (tmp_path / "alexnet.ckpt").exists()
