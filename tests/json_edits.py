"""Changing single keys of JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["edit_json"]


def edit_json(path: Path, **changes: Any) -> None:
    """Set top-level keys of the object in `path`."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
