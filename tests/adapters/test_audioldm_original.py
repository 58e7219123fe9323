"""The original AudioLDM behind its pipe: with a stand-in, and with the package where it is installed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pmg_audioldm_original import AudioLDMOriginalGenerator, worker
from pmg_sdk.audio import Audio
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import (
    BackendError,
    Cancelled,
    ConfigError,
    GenerationError,
    InputError,
    MissingExtra,
    ModelFolderError,
    OutOfMemory,
    SpaceMismatch,
)
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.progress import Silent

HERE = Path(__file__).parent
PYTHON = os.environ.get("PMG_AUDIOLDM_PYTHON", "")


class Counting(Silent):
    """Counts steps, and stops after some."""

    def __init__(self, most: float = float("inf")) -> None:
        self.total = 0
        self.steps = 0
        self.most = most

    def start(self, stage: str, total: int) -> None:
        self.total = total if stage == "denoise" else self.total

    def advance(self, stage: str, steps: int = 1) -> None:
        self.steps += steps if stage == "denoise" else 0

    def cancelled(self) -> bool:
        return self.steps >= self.most


def interpreter(folder: Path, way: str) -> str:
    """A program that is started as the interpreter would be."""
    script = folder / f"python-{way}"
    fake, real = HERE / "fake_audioldm.py", Path(worker.__file__)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake}" {way} "{real}"\n', encoding="utf-8")
    script.chmod(0o755)
    return str(script)


def generator(folder: Path, way: str = "well", **options: Any) -> AudioLDMOriginalGenerator:
    checkpoint = folder / "model.ckpt"
    checkpoint.write_bytes(b"weights")
    given = {"python": interpreter(folder, way), "model": str(checkpoint), "seconds": 2.5, "steps": 3}
    return AudioLDMOriginalGenerator(**{**given, **options})


def request(made: AudioLDMOriginalGenerator, text: str = "a dog", seed: int = 0, **fields: Any) -> Any:
    (conditioning,) = made.text_encoder.encode([text])
    return GenerationRequest(seed=seed, conditioning=conditioning, **fields)


def test_sounds_are_made_of_one_vector_each(tmp_path: Path) -> None:
    made = generator(tmp_path)
    assert (made.spec.modality, made.spec.conditioning) == ("audio", "pooled")
    (encoded,) = made.text_encoder.encode(["a dog"])
    assert encoded.space == made.spec.space == made.text_encoder.space
    assert encoded.tokens == 0
    assert encoded.pooled is not None
    (sound,) = made.generate([request(made)])
    assert isinstance(sound, Audio)
    assert (sound.seconds, sound.sample_rate) == (2.5, 16000)


def test_candidate_is_the_same_alone_and_in_any_batch(tmp_path: Path) -> None:
    made = generator(tmp_path, batch_size=2)
    requests = [request(made, seed=seed, steps=2 + seed % 2, guidance=1.5 + seed % 3) for seed in range(5)]
    together = made.generate(requests)
    assert together == [made.generate([each])[0] for each in requests]
    assert len(set(together)) == 5


def test_text_stands_in_for_a_conditioning(tmp_path: Path) -> None:
    made = generator(tmp_path)
    (dog, cat) = made.text_encoder.encode(["a dog", "a cat"])
    one = made.generate([GenerationRequest(seed=1, text="a dog", negative_text="a cat")])
    assert one == made.generate([GenerationRequest(seed=1, conditioning=dog, negative=cat)])
    assert one != made.generate([GenerationRequest(seed=1, conditioning=dog)])


def test_steps_add_up(tmp_path: Path) -> None:
    made, counting = generator(tmp_path, batch_size=2), Counting()
    made.generate([request(made, seed=seed, steps=2 + seed) for seed in range(3)], counting)
    assert counting.steps == counting.total == 9


def test_it_halts_at_the_next_step_and_the_worker_goes_on_living(tmp_path: Path) -> None:
    made = generator(tmp_path)
    (before,) = made.generate([request(made)])
    process = made._ready().process
    counting = Counting(most=1)
    with pytest.raises(Cancelled):
        made.generate([request(made, steps=50)], counting)
    assert counting.steps == 1
    assert made.generate([request(made)]) == [before]
    assert made._ready().process is process


def test_loading_can_be_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(Cancelled):
        generator(tmp_path, "slow").load(Counting(most=0))
    assert time.monotonic() - started < 20


def test_worker_that_was_ended_is_started_again(tmp_path: Path) -> None:
    made = generator(tmp_path)
    (before,) = made.generate([request(made)])
    made._ready().process.end()
    assert made.generate([request(made)]) == [before]


def test_batch_that_does_not_fit_is_halved(tmp_path: Path) -> None:
    made, well = generator(tmp_path, "memory"), generator(tmp_path)
    requests = [request(made, seed=seed) for seed in range(3)]
    assert made.generate(requests) == well.generate(requests)
    full = generator(tmp_path, "no-memory")
    with pytest.raises(OutOfMemory, match="batch of one"):
        full.generate([request(full)])


@pytest.mark.parametrize(
    ("way", "error", "said"),
    [
        ("dies", BackendError, "status 3; the last it wrote: the library is gone"),
        ("babbles", BackendError, "no answer"),
        ("no-package", MissingExtra, r"No module named 'audioldm'.*docs/audio\.md"),
    ],
)
def test_worker_that_cannot_work_says_why(
    tmp_path: Path, way: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        generator(tmp_path, way).load()


def test_numbers_that_are_none_are_a_generation_error(tmp_path: Path) -> None:
    made = generator(tmp_path, "numbers")
    with pytest.raises(GenerationError, match="numbers were expected"):
        made.generate([request(made)])


def test_interpreter_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"python='/nowhere/python'.*docs/audio\.md"):
        generator(tmp_path, python="/nowhere/python").load()


def test_interpreter_without_the_package(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match="audioldm was expected in the environment"):
        generator(tmp_path, python=sys.executable).load()


def test_checkpoint_that_is_nowhere_or_of_another_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOLDM_CACHE_DIR", str(tmp_path))
    with pytest.raises(ModelFolderError, match=r"audioldm-l-full\.ckpt; there is none"):
        _ = generator(tmp_path, model="audioldm-l-full").spec
    with pytest.raises(ModelFolderError, match="another shape"):
        generator(tmp_path, architecture="another").load()


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    made = generator(tmp_path)
    fine = request(made)
    other = Conditioning(fine.conditioning.embeds, "another", fine.conditioning.pooled)
    short = Conditioning(fine.conditioning.embeds, str(made.spec.space), np.ones(3, np.float32))
    with pytest.raises(SpaceMismatch, match="another"):
        made.generate([GenerationRequest(seed=0, conditioning=other)])
    for wrong in (
        GenerationRequest(seed=0, conditioning=short),
        request(made, steps=0),
        request(made, guidance=float("nan")),
    ):
        with pytest.raises(InputError):
            made.generate([wrong])
    with pytest.raises(ConfigError, match=r"a multiple of 2\.5"):
        generator(tmp_path, seconds=3.0)


def test_texts_of_every_kind_are_counted_and_encoded(tmp_path: Path) -> None:
    encoder = generator(tmp_path).text_encoder
    assert encoder.count_tokens(["a dog", ""]) == [4, 2]
    assert encoder.max_tokens == 12
    assert len(encoder.encode(["", "\ud83d", "狗 🐶", "x " * 100_000])) == 4
    assert encoder.encode([]) == [] == encoder.count_tokens([])


def test_worker_imports_nothing_of_this_package() -> None:
    tree = ast.parse(Path(worker.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports
    assert not [node for node in imports if "pmg" in ast.unparse(node)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small random checkpoint that the package itself has built."""
    from tiny_models.tokenizers import roberta_tokenizer
    from transformers import RobertaConfig

    folder = tmp_path_factory.mktemp("audioldm")
    text = folder / "text"
    text.mkdir()
    size = roberta_tokenizer(text, max_tokens=30)
    RobertaConfig(
        vocab_size=size,
        hidden_size=768,  # the package counts on it
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=34,
    ).save_pretrained(text)
    script = HERE / "audioldm_checkpoint.py"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([PYTHON, str(script), worker.__file__, str(folder)], check=True, env=environment)
    return {
        "python": PYTHON,
        "model": str(folder / "model.ckpt"),
        "config": str(folder / "model.yaml"),
        "text": str(text),
        "seconds": 2.5,
        "steps": 3,
        "device": "cpu",
    }


needs_it = pytest.mark.skipif(
    not PYTHON,
    reason="PMG_AUDIOLDM_PYTHON names no interpreter with audioldm: run .ci/own-environment audioldm",
)


@pytest.mark.slow
@needs_it
def test_the_package_itself_makes_sounds(small: dict[str, Any]) -> None:
    made = AudioLDMOriginalGenerator(**small)
    dog, piano = made.text_encoder.encode(["a dog", "calm piano"])
    requests = [
        GenerationRequest(seed=1, conditioning=dog),
        GenerationRequest(seed=2, conditioning=dog),
        GenerationRequest(seed=1, conditioning=piano, guidance=4.0, steps=2),
    ]
    counting = Counting()
    sounds = made.generate(requests, counting)
    assert counting.steps == counting.total == 8
    assert all(isinstance(sound, Audio) and sound.sample_rate == 16000 for sound in sounds)
    waves = [sound.waveform for sound in sounds if isinstance(sound, Audio)]
    assert min(np.abs(waves[0] - waves[1]).max(), np.abs(waves[0] - waves[2]).max()) > 0.01
    (alone,) = made.generate(requests[1:2])
    assert isinstance(alone, Audio)
    np.testing.assert_allclose(alone.waveform, waves[1], atol=2e-3)
    with pytest.raises(Cancelled):
        made.generate(requests[:1], Counting(most=1))
    assert made._ready().process.alive


@pytest.mark.slow
@needs_it
def test_the_package_s_text_tower_gives_unit_vectors(small: dict[str, Any]) -> None:
    encoder = AudioLDMOriginalGenerator(**small).text_encoder
    texts = ["a dog", "calm piano music with rain", "", "x " * 1000]
    together = np.stack([each.pooled for each in encoder.encode(texts)])
    alone = np.stack([encoder.encode([text])[0].pooled for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert encoder.max_tokens == 30


@pytest.mark.slow
@needs_it
def test_checkpoint_of_another_architecture_is_refused_there(small: dict[str, Any]) -> None:
    with pytest.raises(ModelFolderError, match="of another shape"):
        AudioLDMOriginalGenerator(**{**small, "config": None}).load()
