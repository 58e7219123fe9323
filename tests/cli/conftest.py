"""The command line on the reference adapters, for every test of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Pmg, plugins, pmg
from tiny_models.fixtures import audioldm2_model, audioldm_model, sd15_model
from tiny_models.language_models import llama_folder

__all__ = ["Pmg", "audioldm2_model", "audioldm_model", "plugins", "pmg", "sd15_model"]


@pytest.fixture(scope="session")
def llm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama_folder(tmp_path_factory.mktemp("llm"))
