"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]

_NEEDS = ("torch", "transformers", "soxr", "laion_clap")


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """The scorer "laion-clap" and the captioner "laion-clap-tags", both for sounds."""
    return (
        AdapterSpec(
            name="laion-clap",
            role="scorer",
            factory="pmg_laion_clap.scorer:LaionClapScorer",
            modality="audio",
            capabilities=frozenset({"loading"}),
            extra="laion-clap",
            requires=_NEEDS,
            description="Sound-text similarity with a checkpoint of the original laion-clap",
        ),
        AdapterSpec(
            name="laion-clap-tags",
            role="captioner",
            factory="pmg_laion_clap.captioner:LaionClapTagCaptioner",
            modality="audio",
            capabilities=frozenset({"loading"}),
            extra="laion-clap",
            requires=_NEEDS,
            description="Tags of sounds by a checkpoint of the original laion-clap",
        ),
    )
