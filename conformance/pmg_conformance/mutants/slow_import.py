"""Takes long to import. Nothing imports this but who checks it."""

from __future__ import annotations

import time

from pmg_conformance.reference import ReferenceTextEncoder

_SECONDS = 2.5

while time.process_time() < _SECONDS:
    hash("a table that could have waited")


class ComputesATable(ReferenceTextEncoder):
    """As the reference, once it is imported."""
