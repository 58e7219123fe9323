"""The entry point, as an adapter package has it."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec, ScenarioSpec

__all__ = ["pmg_adapters", "pmg_scenarios"]

_PROMISES = frozenset({"exact", "threads"})


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """One adapter for every role, of pictures and of sounds, with what it can do besides."""
    return (
        AdapterSpec(
            "reference",
            "llm",
            "pmg_conformance.reference:ReferenceLanguageModel",
            capabilities=_PROMISES | {"choice"},
        ),
        AdapterSpec(
            "reference",
            "captioner",
            "pmg_conformance.reference:ReferenceCaptioner",
            modality="image",
            capabilities=_PROMISES | {"loading"},
        ),
        AdapterSpec(
            "reference",
            "text_encoder",
            "pmg_conformance.reference:ReferenceTextEncoder",
            capabilities=_PROMISES,
        ),
        AdapterSpec(
            "reference",
            "soft_preference",
            "pmg_conformance.reference:ReferenceSoftPreferenceEncoder",
            capabilities=_PROMISES,
        ),
        AdapterSpec(
            "reference",
            "generator",
            "pmg_conformance.reference:ReferenceGenerator",
            modality="image",
            # No "threads": a preview is of the one batch that runs.
            capabilities=frozenset({"exact", "preview", "training"}),
        ),
        AdapterSpec(
            "reference",
            "scorer",
            "pmg_conformance.reference:ReferenceScorer",
            modality="image",
            capabilities=_PROMISES,
        ),
        AdapterSpec(
            "reference-sound",
            "captioner",
            "pmg_conformance.reference:ReferenceSoundCaptioner",
            modality="audio",
            capabilities=_PROMISES,
        ),
        AdapterSpec(
            "reference-sound",
            "generator",
            "pmg_conformance.reference:ReferenceSoundGenerator",
            modality="audio",
            capabilities=frozenset({"exact", "preview", "training"}),
        ),
        AdapterSpec(
            "reference-sound",
            "scorer",
            "pmg_conformance.reference:ReferenceSoundScorer",
            modality="audio",
            capabilities=_PROMISES,
        ),
    )


@hookimpl
def pmg_scenarios() -> Iterable[ScenarioSpec]:
    """The toy scenario."""
    return (ScenarioSpec("reference", "pmg_conformance.reference.scenario:REFERENCE"),)
