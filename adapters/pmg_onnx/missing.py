"""Packages of the extra "onnx", imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from pmg_sdk.errors import MissingExtra

__all__ = ["expect"]


def expect(package: str, *, extra: str = "onnx") -> Any:
    """The package.

    Raises:
        MissingExtra: it is not installed; the message says what installs it.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise MissingExtra(f'{package} is not installed. Run: pip install "pmg-sdk[{extra}]"') from error
