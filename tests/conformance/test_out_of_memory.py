"""Memory that does not suffice, on purpose: seen where an adapter computes on torch, not-run elsewhere."""

from __future__ import annotations

import pytest
import torch

from pmg_conformance.failure import NotRun
from pmg_conformance.faults import out_of_memory


def test_a_module_of_torch_runs_out_of_memory_until_the_block_ends() -> None:
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(torch.OutOfMemoryError), out_of_memory(layer):
        layer(torch.zeros(1, 2))
    assert layer(torch.zeros(1, 2)).shape == (1, 2)


def test_an_adapter_without_torch_is_not_blamed_where_others_have_loaded_it() -> None:
    with pytest.raises(NotRun), out_of_memory(object()):
        pass
