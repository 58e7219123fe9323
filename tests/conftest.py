"""Tests run from a checkout: `pmg_reference` and the packages in their containers can be imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_HERE = Path(__file__).resolve().parent
for folder in (_HERE, *(_HERE.parent / name for name in ("adapters", "scenarios", "conformance", "models"))):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

# Two shared cores make single examples slow now and then; that is no failure of the code.
settings.register_profile(
    "pmg", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], database=None
)
settings.load_profile("pmg")


@pytest.fixture(autouse=True)
def _default_plugin_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own environment decides no test."""
    monkeypatch.delenv("PMG_PLUGINS", raising=False)
    monkeypatch.delenv("PMG_PLUGINS_STRICT", raising=False)
