"""The version of the contract that the checks hold adapters to.

It is independent of the version of pmg-sdk: see "Versions" in docs/adapter-authors.md.
"""

from __future__ import annotations

__all__ = ["SPEC_VERSION"]

SPEC_VERSION = "1.0"
"""MAJOR.MINOR: a new minor only adds checks, each provisional for one minor."""
