"""The entry point, as an adapter package has it."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec, ScenarioSpec

__all__ = ["pmg_adapters", "pmg_scenarios"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """One adapter for every role."""
    return (
        AdapterSpec("reference", "llm", "pmg_conformance.reference:ReferenceLanguageModel"),
        AdapterSpec(
            "reference", "captioner", "pmg_conformance.reference:ReferenceCaptioner", modality="image"
        ),
        AdapterSpec("reference", "text_encoder", "pmg_conformance.reference:ReferenceTextEncoder"),
        AdapterSpec(
            "reference", "soft_preference", "pmg_conformance.reference:ReferenceSoftPreferenceEncoder"
        ),
        AdapterSpec(
            "reference", "generator", "pmg_conformance.reference:ReferenceGenerator", modality="image"
        ),
        AdapterSpec("reference", "scorer", "pmg_conformance.reference:ReferenceScorer", modality="image"),
    )


@hookimpl
def pmg_scenarios() -> Iterable[ScenarioSpec]:
    """The toy scenario."""
    return (ScenarioSpec("reference", "pmg_conformance.reference.scenario:REFERENCE"),)
