"""What the tests of the documentation share: its files, and a registry that runs its programs quickly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
if str(_HERE) not in sys.path:
    sys.path.append(str(_HERE))

ROOT = _HERE.parent.parent


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Documented adapter names stand for the numpy adapters; the working folder is empty."""
    import documented_names

    from pmg_sdk import pipeline
    from pmg_sdk.plugins import Registry

    made = Registry(strict=True)
    made.register(documented_names, "documented-names")
    monkeypatch.setattr(pipeline, "registry", lambda: made)
    monkeypatch.chdir(tmp_path)
