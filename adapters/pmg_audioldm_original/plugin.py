"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """The generator "audioldm-original"; what it needs is in another environment."""
    return (
        AdapterSpec(
            name="audioldm-original",
            role="generator",
            factory="pmg_audioldm_original.generator:AudioLDMOriginalGenerator",
            modality="audio",
            capabilities=frozenset({"loading"}),
            description="Checkpoints of the original audioldm package, run in an environment of its own",
        ),
    )
