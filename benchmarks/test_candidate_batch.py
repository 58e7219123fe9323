"""Candidates in one batch against the same candidates one by one, on an embedded-shaped folder.

`pytest benchmarks/test_candidate_batch.py`; compare the two medians, or read the ratio test.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parent.parent
for _folder in ("tests", "adapters"):
    if str(_ROOT / _folder) not in sys.path:
        sys.path.append(str(_ROOT / _folder))

from tiny_models import embedded_folder  # noqa: E402

from pmg_sdk.interfaces import GenerationRequest  # noqa: E402
from pmg_stable_diffusion import StableDiffusionGenerator  # noqa: E402

CANDIDATES = 5
ROUNDS = 5


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionGenerator:
    folder = embedded_folder(tmp_path_factory.mktemp("embedded"))
    generator = StableDiffusionGenerator(model=str(folder), device="cpu")
    generator.load()
    return generator


@pytest.fixture(scope="module")
def requests(generator: StableDiffusionGenerator) -> list[GenerationRequest]:
    texts = ["dog", "crying cat", "red apple, flat design style", "heart", "a cool dog with soccer ball"]
    return [
        GenerationRequest(seed=seed, conditioning=part)
        for seed, part in enumerate(generator.text_encoder.encode(texts[:CANDIDATES]))
    ]


def one_by_one(generator: StableDiffusionGenerator, requests: list[GenerationRequest]) -> None:
    for request in requests:
        generator.generate([request])


def test_one_batch(
    benchmark: Any, generator: StableDiffusionGenerator, requests: list[GenerationRequest]
) -> None:
    benchmark.pedantic(generator.generate, (requests,), rounds=ROUNDS, warmup_rounds=1)


def test_one_by_one(
    benchmark: Any, generator: StableDiffusionGenerator, requests: list[GenerationRequest]
) -> None:
    benchmark.pedantic(one_by_one, (generator, requests), rounds=ROUNDS, warmup_rounds=1)


def test_a_batch_is_at_least_as_fast(
    benchmark: Any, generator: StableDiffusionGenerator, requests: list[GenerationRequest]
) -> None:
    """Best of several rounds, taken in turns so that a busy machine slows both alike."""
    batch, single = float("inf"), float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        generator.generate(requests)
        between = perf_counter()
        one_by_one(generator, requests)
        batch, single = min(batch, between - start), min(single, perf_counter() - between)
    benchmark.extra_info["one_by_one_over_batch"] = round(single / batch, 2)
    benchmark.pedantic(generator.generate, (requests,), rounds=1)
    assert batch <= single
