"""Exported scorers against the originals: pictures and texts become the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pmg_onnx import OnnxScorer
from pmg_onnx.export.duals import dual
from pmg_onnx.picture import as_input
from pmg_onnx.record import ImageTower, Pixels
from pmg_sdk import Image
from pmg_sdk.audio import Audio
from pmg_sdk.errors import CapabilityError, ModelFolderError
from pmg_transformers.clip import ClipScorer

TEXTS = ["dog face", "", "a red apple, flat design", "狗 \ud83d", "the picture of a happy dog " * 40]
SHAPES = [(32, 32), (100, 37), (37, 100), (7, 9), (1, 1), (3, 40), (333, 334), (64, 32)]


def noise(shape: tuple[int, int]) -> Image:
    random = np.random.default_rng(shape[0] + 1000 * shape[1])
    return Image(random.integers(0, 256, (*shape, 3)).astype(np.uint8))


def test_rows_are_those_of_the_original(scorer_model: Path, scorer_export: Path) -> None:
    original, exported = ClipScorer(model=str(scorer_model), device="cpu"), OnnxScorer(str(scorer_export))
    pictures = [noise(shape) for shape in SHAPES]
    np.testing.assert_allclose(exported.embed_text(TEXTS), original.embed_text(TEXTS), atol=1e-5)
    np.testing.assert_allclose(exported.embed_media(pictures), original.embed_media(pictures), atol=1e-5)


def test_nothing_has_a_shape_too(scorer_export: Path) -> None:
    exported = OnnxScorer(str(scorer_export))
    assert exported.embed_text([]).shape == exported.embed_media([]).shape == (0, 16)


def test_a_sound_is_refused(scorer_export: Path) -> None:
    with pytest.raises(CapabilityError, match="exported scorer"):
        OnnxScorer(str(scorer_export)).embed_media([Audio(np.zeros((1, 800), np.int16), 16000)])


def test_a_text_encoder_is_no_scorer(clip_export: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"exported scorer was expected.*text encoder"):
        OnnxScorer(str(clip_export)).load()


def pixels_of(folder: Path) -> Pixels:
    tower = dual(str(folder)).media.tower
    assert isinstance(tower, ImageTower)
    return tower.pixels


def by_transformers(folder: Path, image: Image) -> NDArray[np.float32]:
    from transformers import CLIPImageProcessor

    made = CLIPImageProcessor.from_pretrained(folder)(image.to_pil(), return_tensors="pt")
    values: NDArray[np.float32] = made.pixel_values[0].numpy()
    return values


def by_open_clip(folder: Path, image: Image) -> NDArray[np.float32]:
    from pmg_open_clip.dual_encoder import load_dual_encoder

    pixels: torch.Tensor = load_dual_encoder(str(folder), device="cpu").preprocess(image.to_pil())
    return pixels.numpy()


@pytest.mark.parametrize("shape", SHAPES)
def test_transformers_pictures_are_prepared_to_the_last_bit(
    shape: tuple[int, int], scorer_model: Path
) -> None:
    how = pixels_of(scorer_model)
    prepared, expected = as_input(noise(shape).to_pil(), how), by_transformers(scorer_model, noise(shape))
    np.testing.assert_allclose(prepared, expected, atol=1e-6)


@pytest.fixture(scope="module", params=["longest", "shortest", "squash"])
def open_clip_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _open_clip(tmp_path_factory.mktemp("oc"), {"resize_mode": request.param})


def _open_clip(folder: Path, settings: dict[str, Any]) -> Path:
    import json

    from tiny_models.dual_encoders import open_clip_folder

    path = open_clip_folder(folder) / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["preprocess_cfg"] |= settings
    path.write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if min(shape) > 1])
def test_open_clip_pictures_are_prepared_to_the_last_bit(
    shape: tuple[int, int], open_clip_model: Path
) -> None:
    how = pixels_of(open_clip_model)
    prepared, expected = as_input(noise(shape).to_pil(), how), by_open_clip(open_clip_model, noise(shape))
    np.testing.assert_array_equal(prepared, expected)


def test_open_clips_tokenizer_is_the_same_without_it(tmp_path: Path) -> None:
    from open_clip.tokenizer import SimpleTokenizer

    from pmg_onnx.export.open_clip_dual import _write_own
    from pmg_onnx.record import TextTower
    from pmg_onnx.tokens import TokenReader

    own = SimpleTokenizer(context_length=20)
    _write_own(own, tmp_path / "tokenizer.json")
    tower = TextTower(
        graph="text.onnx", tokenizer="tokenizer.json", max_tokens=20, pad=0, masked=False, cleaning="lower"
    )
    texts = [
        "A dog's “best” friend — isn't it?",
        "  lots \t of\nspace &amp;amp; entities &lt;3  ",
        "don’t 123 4x4 ... !!! (ok) a_b-c@d.e",
        "İstanbul ǅungla ﬁne Ｆｕｌｌ ÀÉ cafe\u0301",
        "狗和猫 🐶🎉 كلب \u200b zero",
        "<start_of_text> literally <end_of_text>",
        "word " * 50,
        "",
    ]
    rows, _ = TokenReader(tmp_path, tower, limit=20).cut(texts)
    for text, row, expected in zip(texts, rows, own(texts).tolist(), strict=True):
        assert row + [0] * (20 - len(row)) == expected, text
