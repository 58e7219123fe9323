"""Optional abilities: the name a plugin declares, and how to see whether an adapter has it."""

from __future__ import annotations

from typing import Any

from pmg_conformance.check import Kind
from pmg_sdk import interfaces

__all__ = ["ABILITIES", "idle", "present", "stated"]

ABILITIES: dict[str, type] = {
    "choice": interfaces.SupportsChoice,
    "loading": interfaces.SupportsLoading,
    "preview": interfaces.SupportsPreview,
    "training": interfaces.SupportsTraining,
}
"""Name in `AdapterSpec.capabilities` -> Protocol."""

PROMISES = frozenset({"exact", "threads"})
"""Abilities without a method: they are promised in the spec and seen only by trying.

"exact": equal answers are equal to the last bit, not within the tolerances of `pmg_conformance.work`.
"threads": several threads may call one adapter at once.
"""


def present(adapter: Any) -> frozenset[str]:
    """Abilities whose Protocol the adapter satisfies."""
    return frozenset(name for name, protocol in ABILITIES.items() if isinstance(adapter, protocol))


def stated(kind: Kind, adapter: Any) -> frozenset[str]:
    """Abilities that the adapter states of itself: a generator's kind, and whether it honours negatives."""
    if kind != "generator":
        return frozenset()
    spec = adapter.spec
    return frozenset({str(spec.conditioning)} | ({"negative"} if spec.negative else set()))


def idle(kind: Kind, adapter: Any) -> frozenset[str]:
    """Abilities that mean nothing beside what the adapter states: text alone is no conditioning to train."""
    return frozenset({"training"} if "text" in stated(kind, adapter) else set())
