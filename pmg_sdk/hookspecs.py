"""The hooks a plugin may implement (entry-point group `pmg_sdk`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pmg_sdk.plugins import AdapterSpec, ScenarioSpec

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("pmg_sdk")
hookimpl = pluggy.HookimplMarker("pmg_sdk")


@hookspec
def pmg_adapters() -> Iterable[AdapterSpec]:
    """Adapters this plugin brings."""
    return ()


@hookspec
def pmg_scenarios() -> Iterable[ScenarioSpec]:
    """Scenarios this plugin brings."""
    return ()
