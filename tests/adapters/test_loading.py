"""Loading models: each once, without a word, and without changing what the caller set."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import transformers
from tiny_models.captioners import blip_folder
from tiny_models.dual_encoders import clip_folder
from tiny_models.language_models import llama_folder

from pmg_sdk.interfaces import SupportsLoading
from pmg_sdk.loading import Once, loading
from pmg_transformers.blip2 import Blip2Captioner
from pmg_transformers.clip import ClipScorer
from pmg_transformers.language_model import TransformersLanguageModel
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_encoder import TransformersTextEncoder

LOAD = """
import sys
from pathlib import Path
from pmg_audioldm import AudioLDM2Generator, AudioLDMGenerator
from pmg_stable_diffusion import StableDiffusionGenerator
from pmg_transformers.blip2 import Blip2Captioner
from pmg_transformers.clip import ClipScorer
from pmg_transformers.language_model import TransformersLanguageModel
from pmg_transformers.text_encoder import TransformersTextEncoder

folder = Path(sys.argv[1])
TransformersTextEncoder(str(folder / "clip"), device="cpu").load()
ClipScorer(model=str(folder / "clip"), device="cpu").load()
Blip2Captioner(model=str(folder / "blip"), device="cpu").load()
TransformersLanguageModel(model=str(folder / "llm"), device="cpu").load()
StableDiffusionGenerator(model=str(folder / "sd"), device="cpu").load()
AudioLDMGenerator(model=str(folder / "audioldm"), device="cpu").load()
AudioLDM2Generator(model=str(folder / "audioldm2"), device="cpu").load()
"""


def test_loading_is_silent(tmp_path: Path) -> None:
    """In a process of its own, for pytest catches what the libraries say. A text encoder out of the whole
    of a CLIP leaves tensors unused, of which transformers prints a table."""
    clip_folder(tmp_path / "clip")
    blip_folder(tmp_path / "blip")
    llama_folder(tmp_path / "llm")
    tiny_models.sd15_folder(tmp_path / "sd")
    tiny_models.audioldm_folder(tmp_path / "audioldm")
    tiny_models.audioldm2_folder(tmp_path / "audioldm2")
    program = [sys.executable, "-c", LOAD, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_what_the_caller_set_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    library = transformers.utils.logging
    monkeypatch.setattr(library, "_tqdm_active", True)
    for verbosity, meanwhile in ((30, 40), (40, 40), (20, 20)):
        library.set_verbosity(verbosity)
        with loading(), loading():
            assert not library.is_progress_bar_enabled()
            assert library.get_verbosity() == meanwhile
        assert library.is_progress_bar_enabled()
        assert library.get_verbosity() == verbosity
    library.set_verbosity_warning()


def test_what_the_caller_set_is_as_it_was_after_an_error() -> None:
    before = transformers.utils.logging.get_verbosity()
    with pytest.raises(ValueError, match="damaged"), loading():
        raise ValueError("damaged")
    assert transformers.utils.logging.get_verbosity() == before


def test_models_are_read_one_at_a_time() -> None:
    reading: list[str] = []
    most: list[int] = []

    def read(name: str) -> None:
        with loading():
            reading.append(name)
            most.append(len(reading))
            threading.Event().wait(0.01)
            reading.remove(name)

    in_threads(*(partial(read, str(number)) for number in range(4)))
    assert most == [1, 1, 1, 1]


def test_what_fails_to_load_is_tried_again() -> None:
    once: Once[str] = Once()

    def damaged() -> str:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        once.get(damaged)
    assert once.value is None
    assert once.get(lambda: "mended") == once.get(damaged) == once.value == "mended"


ADAPTERS: dict[str, Callable[[Path], SupportsLoading]] = {
    "text encoder": lambda folder: TransformersTextEncoder(
        str(tiny_models.bert_text_folder(folder)), device="cpu"
    ),
    "CLIP": lambda folder: ClipScorer(model=str(clip_folder(folder)), device="cpu"),
    "BLIP": lambda folder: Blip2Captioner(model=str(blip_folder(folder)), device="cpu"),
    "language model": lambda folder: TransformersLanguageModel(model=str(llama_folder(folder)), device="cpu"),
}


@pytest.mark.parametrize("name", ADAPTERS)
def test_threads_that_share_an_adapter_load_its_model_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = ADAPTERS[name](tmp_path)
    filled = ModelFolder.filled
    read: list[str] = []

    def slowly(self: ModelFolder, kind: Any, what: str, **options: Any) -> Any:
        read.append(what)
        threading.Event().wait(0.1)  # for the others to ask meanwhile
        return filled(self, kind, what, **options)

    monkeypatch.setattr(ModelFolder, "filled", slowly)
    in_threads(*[adapter.load] * 4)
    assert len(read) == 1


def in_threads(*functions: Callable[[], object]) -> None:
    """All at once; returns when all are done."""
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
