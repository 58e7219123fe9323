"""What adapters around torch decide by the machine they run on."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models
from tiny_models.language_models import llama_folder

from pmg_sdk.accelerator import choose_dtype
from pmg_sdk.errors import ConfigError
from pmg_transformers.language_model import TransformersLanguageModel
from pmg_transformers.text_encoder import TransformersTextEncoder


@pytest.mark.parametrize(
    ("device", "chosen"),
    [
        ("cpu", "float32"),
        ("cpu:0", "float32"),
        ("mps", "float32"),
        ("cuda", "bfloat16"),
        ("cuda:1", "bfloat16"),
    ],
)
def test_half_precision_is_for_cuda_however_the_device_is_written(device: str, chosen: str) -> None:
    assert str(choose_dtype("auto", device, half="bfloat16")) == f"torch.{chosen}"
    assert str(choose_dtype("float16", device)) == "torch.float16"


def test_another_dtype_is_refused() -> None:
    with pytest.raises(ConfigError, match="int8"):
        choose_dtype("int8", "cpu")


def test_models_are_loaded_by_that_rule(tmp_path: Path) -> None:
    llm = TransformersLanguageModel(model=str(llama_folder(tmp_path / "llm")), device="cpu:0")
    assert str(llm._parts()[0].dtype) == "torch.float32"
    encoder = TransformersTextEncoder(
        str(tiny_models.bert_text_folder(tmp_path / "text")), device="cpu:0", dtype="auto"
    )
    assert str(encoder.towers[0].model.dtype) == "torch.float32"
