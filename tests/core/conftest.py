"""The toy world as installed plugins, and a pipeline on it."""

from __future__ import annotations

import pytest

import pmg_conformance.reference.plugin
from pmg_sdk import PMGPipeline, Registry


@pytest.fixture
def plugins() -> Registry:
    """A registry that knows the reference adapters and scenario, and nothing else."""
    made = Registry(strict=True)
    made.register(pmg_conformance.reference.plugin, "pmg_conformance.reference")
    return made


@pytest.fixture
def pipeline(plugins: Registry) -> PMGPipeline:
    """The reference scenario with its default profile."""
    return PMGPipeline.from_scenario("reference", plugins=plugins)
