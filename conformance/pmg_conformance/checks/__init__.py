"""Every check, one module for each role; importing this fills the registry."""

from __future__ import annotations

from pmg_conformance.checks import (
    answers,
    budgets,
    captioner,
    construction,
    determinism,
    discretion,
    generator,
    golden,
    llm,
    resources,
    scenario,
    scorer,
    soft_preference,
    text_encoder,
    training,
)

__all__ = [
    "answers",
    "budgets",
    "captioner",
    "construction",
    "determinism",
    "discretion",
    "generator",
    "golden",
    "llm",
    "resources",
    "scenario",
    "scorer",
    "soft_preference",
    "text_encoder",
    "training",
]
