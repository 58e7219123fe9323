"""Reading JSON that somebody else wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pmg_sdk.errors import PMGError

__all__ = ["load_json", "load_object", "parse_json", "read_json"]


def parse_json(data: bytes) -> Any:
    """The value in UTF-8 JSON.

    Raises:
        ValueError: it is not UTF-8 JSON, or is nested deeper than Python can follow.
    """
    try:
        return json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("its lists and objects are nested too deeply") from error


def read_json(path: Path) -> Any:
    """The value in a UTF-8 JSON file.

    Raises:
        OSError: the file cannot be read.
        ValueError: see `parse_json`.
    """
    return parse_json(path.read_bytes())


def load_json(path: Path, what: str, error: type[PMGError]) -> Any:
    """As `read_json`, with its failures in words.

    Args:
        what: the file is expected to be, "a behaviour file" for example.

    Raises:
        error: there is no such file, or it is not UTF-8 JSON.
    """
    try:
        return read_json(path)
    except OSError as failure:
        raise error(f"{what} was expected at {path}; {failure.strerror}") from failure
    except ValueError as failure:
        raise error(f"{path} is not UTF-8 JSON: {failure}") from failure


def load_object(path: Path, error: type[PMGError]) -> dict[str, Any]:
    """The object in a JSON file of a model folder.

    Raises:
        error: the file cannot be read, or holds another value.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError) as failure:
        raise error(f"a JSON object was expected in {path}; it cannot be read ({failure})") from failure
    if not isinstance(value, dict):
        raise error(f"a JSON object was expected in {path}; it holds a {type(value).__name__}")
    return value
