"""Exported folders of tiny models; treat them as read-only and copy before damaging one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_models

from pmg_onnx.export import export_scorer, export_text_encoder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Optimised graphs are kept in the SDK's cache; what is fetched already is found there too."""
    from pmg_sdk.assets.cache import cache_dir

    with pytest.MonkeyPatch.context() as patch:
        real, own = cache_dir(), tmp_path_factory.mktemp("cache")
        for folder in real.iterdir() if real.is_dir() else ():
            if not folder.name.startswith("onnx"):
                (own / folder.name).symlink_to(folder)
        patch.setenv("PMG_CACHE", str(own))
        yield own


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and on a busy machine lose seconds waiting for them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def clip_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.clip_text_folder(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def clip_export(clip_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clip-onnx")
    export_text_encoder(str(clip_model), out)
    return out


@pytest.fixture(scope="session")
def bert_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.bert_text_folder(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def bert_export(bert_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bert-onnx")
    export_text_encoder(str(bert_model), out)
    return out


@pytest.fixture(scope="session")
def scorer_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models.dual_encoders import clip_folder

    return clip_folder(tmp_path_factory.mktemp("scorer"))


@pytest.fixture(scope="session")
def scorer_export(scorer_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scorer-onnx")
    export_scorer(str(scorer_model), out)
    return out


@pytest.fixture(scope="session")
def sound_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models.clap import clap_folder

    return clap_folder(tmp_path_factory.mktemp("clap"))


@pytest.fixture(scope="session")
def sound_export(sound_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clap-onnx")
    export_scorer(str(sound_model), out)
    return out


@pytest.fixture(scope="session")
def fused_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a vocabulary, and BERT's words."""
    from tiny_models.clap import tagged_clap_folder

    return tagged_clap_folder(tmp_path_factory.mktemp("fused-clap"))


@pytest.fixture(scope="session")
def fused_export(fused_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fused-clap-onnx")
    export_scorer(str(fused_model), out)
    return out
