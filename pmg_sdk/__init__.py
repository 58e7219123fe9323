"""Personalised multimodal generation: media that fit this user and still are the thing asked for.

    from pmg_sdk import Behavior, PMGPipeline

    pipeline = PMGPipeline.from_scenario("emoticons")
    result = pipeline.generate(Behavior(history=["cat face, flat design style"]), "I passed the exam!")
    result.save("out")

The list below is the whole public surface; a name is imported when it is first used, so
`import pmg_sdk` costs next to nothing. Two functions share their module's name and are
imported from there: `pmg_sdk.replay.replay` and `pmg_sdk.describe.describe`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pmg_sdk.audio import Audio
    from pmg_sdk.behavior import Behavior, Item, Message
    from pmg_sdk.conditioning import Conditioning, WeightPair
    from pmg_sdk.config import Choice, Limits, PMGConfig
    from pmg_sdk.describe import BehaviorSummary
    from pmg_sdk.errors import PMGError
    from pmg_sdk.hookspecs import hookimpl
    from pmg_sdk.interfaces import (
        Captioner,
        GenerationRequest,
        Generator,
        GeneratorSpec,
        LanguageModel,
        Scorer,
        SoftPreferenceEncoder,
        TextEncoder,
    )
    from pmg_sdk.keywords import Keyword, Keywords
    from pmg_sdk.media import Image, Media
    from pmg_sdk.pipeline import PMGPipeline
    from pmg_sdk.plugins import AdapterSpec, Registry, ScenarioSpec, registry
    from pmg_sdk.preference import UserPreference
    from pmg_sdk.progress import Observer
    from pmg_sdk.result import Result
    from pmg_sdk.scenario import Scenario
    from pmg_sdk.selection import Candidate, Selection, select
    from pmg_sdk.target import Target

__version__ = "0.1.0"

__all__ = [
    "AdapterSpec",
    "Audio",
    "Behavior",
    "BehaviorSummary",
    "Candidate",
    "Captioner",
    "Choice",
    "Conditioning",
    "GenerationRequest",
    "Generator",
    "GeneratorSpec",
    "Image",
    "Item",
    "Keyword",
    "Keywords",
    "LanguageModel",
    "Limits",
    "Media",
    "Message",
    "Observer",
    "PMGConfig",
    "PMGError",
    "PMGPipeline",
    "Registry",
    "Result",
    "Scenario",
    "ScenarioSpec",
    "Scorer",
    "Selection",
    "SoftPreferenceEncoder",
    "Target",
    "TextEncoder",
    "UserPreference",
    "WeightPair",
    "__version__",
    "hookimpl",
    "registry",
    "select",
]

_HOME = {
    "audio": ("Audio",),
    "behavior": ("Behavior", "Item", "Message"),
    "conditioning": ("Conditioning", "WeightPair"),
    "config": ("Choice", "Limits", "PMGConfig"),
    "describe": ("BehaviorSummary",),
    "errors": ("PMGError",),
    "hookspecs": ("hookimpl",),
    "interfaces": (
        "Captioner",
        "GenerationRequest",
        "Generator",
        "GeneratorSpec",
        "LanguageModel",
        "Scorer",
        "SoftPreferenceEncoder",
        "TextEncoder",
    ),
    "keywords": ("Keyword", "Keywords"),
    "media": ("Image", "Media"),
    "pipeline": ("PMGPipeline",),
    "plugins": ("AdapterSpec", "Registry", "ScenarioSpec", "registry"),
    "preference": ("UserPreference",),
    "progress": ("Observer",),
    "result": ("Result",),
    "scenario": ("Scenario",),
    "selection": ("Candidate", "Selection", "select"),
    "target": ("Target",),
}
_MODULE_OF = {name: f"pmg_sdk.{module}" for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'pmg_sdk' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
