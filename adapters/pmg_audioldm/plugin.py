"""The entry point of this adapter package."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]

_NEEDS = ("torch", "diffusers", "transformers")


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """Both generators, and CLAP's text encoder."""
    return (
        AdapterSpec(
            name="audioldm",
            role="generator",
            factory="pmg_audioldm.audioldm:AudioLDMGenerator",
            modality="audio",
            capabilities=frozenset({"loading", "preview", "training"}),
            extra="audio",
            requires=_NEEDS,
            description="AudioLDM: sounds and music from one CLAP vector",
        ),
        AdapterSpec(
            name="audioldm2",
            role="generator",
            factory="pmg_audioldm.audioldm2:AudioLDM2Generator",
            modality="audio",
            capabilities=frozenset({"loading", "preview", "training"}),
            extra="audio",
            requires=_NEEDS,
            description="AudioLDM 2: sounds and music from T5 tokens and what GPT-2 makes of the text",
        ),
        AdapterSpec(
            name="clap",
            role="text_encoder",
            factory="pmg_audioldm.clap_text:ClapTextEncoder",
            capabilities=frozenset({"loading"}),
            extra="audio",
            requires=("torch", "transformers"),
            description="Text encoder of CLAP, as AudioLDM takes it",
        ),
    )
