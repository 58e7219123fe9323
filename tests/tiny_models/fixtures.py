"""The tiny folders as session-wide fixtures; treat them as read-only and copy before damaging one."""

from __future__ import annotations

from pathlib import Path

import pytest

import tiny_models

__all__ = ["audioldm2_model", "audioldm_model", "embedded_model", "sd15_model", "sd21_model", "sdxl_model"]


@pytest.fixture(scope="session")
def sd15_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.sd15_folder(tmp_path_factory.mktemp("sd15"))


@pytest.fixture(scope="session")
def sd21_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.sd21_folder(tmp_path_factory.mktemp("sd21"))


@pytest.fixture(scope="session")
def sdxl_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.sdxl_folder(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(scope="session")
def embedded_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.embedded_folder(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="session")
def audioldm_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.audioldm_folder(tmp_path_factory.mktemp("audioldm"))


@pytest.fixture(scope="session")
def audioldm2_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.audioldm2_folder(tmp_path_factory.mktemp("audioldm2"))
