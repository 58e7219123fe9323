"""The language model that the scenarios are made for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pmg_transformers.language_model import TransformersLanguageModel

MODEL = "pmg:smollm2-135m-instruct"


@pytest.fixture(scope="module")
def llm(published: Callable[[str], Path]) -> TransformersLanguageModel:
    published(MODEL)
    model = TransformersLanguageModel(model=MODEL, device="cpu")
    model.load()
    return model
