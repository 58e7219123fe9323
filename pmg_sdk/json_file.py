"""Reading JSON that somebody else wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["read_json"]


def read_json(path: Path) -> Any:
    """The value in a UTF-8 JSON file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not UTF-8 JSON, or is nested deeper than Python can follow.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("its lists and objects are nested too deeply") from error
