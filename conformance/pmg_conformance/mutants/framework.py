"""Imports a framework when it is imported itself; a stand-in, so that it can be tried where there is none."""

from __future__ import annotations

import sys
from types import ModuleType

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceTextEncoder

# What `import mxnet` leaves behind. Nothing else here asks for that one.
sys.modules.setdefault("mxnet", ModuleType("mxnet"))


@mutant("text_encoder", "PMG-ANY-002", named=True)
class ImportsAFramework(ReferenceTextEncoder):
    """Its module imports a framework at the top."""
