"""The adapters that the documentation names, each played by the numpy adapter of its role.

They take any options, as the real ones take many; what a documented program does with a pipeline is then
run for real, in milliseconds and without weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pmg_conformance.reference import (
    ReferenceCaptioner,
    ReferenceGenerator,
    ReferenceLanguageModel,
    ReferenceScorer,
    ReferenceSoftPreferenceEncoder,
)
from pmg_scenarios.plugin import pmg_scenarios
from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters", "pmg_scenarios"]


class Captions(ReferenceCaptioner):
    def __init__(self, **options: Any) -> None:
        super().__init__()


class Draws(ReferenceGenerator):
    def __init__(self, **options: Any) -> None:
        super().__init__()


class Reads(ReferenceLanguageModel):
    def __init__(self, **options: Any) -> None:
        super().__init__()


class Judges(ReferenceScorer):
    def __init__(self, **options: Any) -> None:
        super().__init__()


class Feels(ReferenceSoftPreferenceEncoder):
    def __init__(self, **options: Any) -> None:
        super().__init__()


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """Every name that stands in a Python block or in the emoticons profile."""
    return (
        AdapterSpec("transformers", "llm", "documented_names:Reads"),
        AdapterSpec("openai", "llm", "documented_names:Reads"),
        AdapterSpec("transformers", "soft_preference", "documented_names:Feels"),
        AdapterSpec("open-clip-tags", "captioner", "documented_names:Captions", modality="image"),
        AdapterSpec("stable-diffusion", "generator", "documented_names:Draws", modality="image"),
        AdapterSpec("open-clip", "scorer", "documented_names:Judges", modality="image"),
        AdapterSpec("clip", "scorer", "documented_names:Judges", modality="image"),
    )
