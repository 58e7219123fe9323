"""Tests run from a checkout: the packages in their containers can be imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_HERE = Path(__file__).resolve().parent
for folder in (_HERE, *(_HERE.parent / name for name in ("adapters", "scenarios", "models", "conformance"))):
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


@pytest.fixture(scope="session")
def published() -> Callable[[str], Path]:
    """The local path of a "pmg:NAME" model; a test that cannot have it is skipped, but fails in CI."""
    from pmg_sdk.assets import resolve_model
    from pmg_sdk.errors import AssetUnavailable

    def path_of(model: str) -> Path:
        try:
            return Path(resolve_model(model))
        except AssetUnavailable as error:
            say = pytest.fail if os.environ.get("CI") else pytest.skip
            say(f"{model} cannot be fetched here: {error}")

    return path_of
