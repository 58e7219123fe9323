"""Adapters and scenarios that are wrong on purpose, each a few lines over the reference.

They test the checks: one that no mutant fails is a check that cannot fail. See `pmg_conformance.kill_matrix`.
"""

from __future__ import annotations

from pmg_conformance.mutants.mutant import Mutant, mutant, mutants

__all__ = ["Mutant", "mutant", "mutants"]
