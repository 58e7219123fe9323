"""The tiny model folders, for every test of an adapter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tiny_models.fixtures import (
    audioldm2_model,
    audioldm_model,
    embedded_model,
    sd15_model,
    sd21_model,
    sdxl_model,
)

__all__ = ["audioldm2_model", "audioldm_model", "embedded_model", "sd15_model", "sd21_model", "sdxl_model"]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and on a busy machine lose seconds waiting for them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
