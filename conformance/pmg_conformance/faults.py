"""Faults on purpose: what an adapter does when its backend fails must be seen, not hoped for."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from pmg_conformance.failure import NotRun

__all__ = ["SupportsFaults", "out_of_memory"]


@runtime_checkable
class SupportsFaults(Protocol):
    """An adapter without torch that can be made to fail, for its own conformance."""

    def fault(self, kind: str) -> contextlib.AbstractContextManager[None]:
        """While it is open, the backend fails as `kind` says: "out_of_memory"."""


@contextlib.contextmanager
def out_of_memory(adapter: Any) -> Iterator[None]:
    """While it is open, no batch fits, not even one of one.

    Adapters on torch need nothing: every module's forward raises what a full GPU raises.

    Raises:
        NotRun: the adapter uses no torch, also where others have loaded it, and has no `SupportsFaults`.
    """
    if isinstance(adapter, SupportsFaults):
        with adapter.fault("out_of_memory"):
            yield
        return
    torch = sys.modules.get("torch")
    if torch is None:
        raise NotRun("needs an adapter on torch, or one with `fault(kind)` (SupportsFaults)")

    asked = False

    def full(*_: Any) -> None:
        nonlocal asked
        asked = True
        raise torch.OutOfMemoryError("CUDA out of memory (a fault on purpose)")

    hook = torch.nn.modules.module.register_module_forward_pre_hook(full)
    try:
        yield
    finally:
        hook.remove()
    if not asked:  # torch is here for somebody else
        raise NotRun("needs an adapter on torch, or one with `fault(kind)` (SupportsFaults)")
