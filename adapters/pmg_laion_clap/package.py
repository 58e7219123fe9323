"""The part of laion-clap that holds its models, without the part that asks a hub.

`import laion_clap` loads three tokenizers from the Hugging Face hub, for training. The models lie in its
sub-package `clap_module`, which the package itself imports as a top-level one; so it is here.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from pmg_sdk.errors import MissingExtra

__all__ = ["clap_module"]

NAME = "clap_module"


def clap_module() -> Any:
    """The module of laion-clap's models.

    Raises:
        MissingExtra: laion-clap is not installed, or cannot be imported.
    """
    if NAME in sys.modules:
        return sys.modules[NAME]
    found = importlib.util.find_spec("laion_clap")  # finds it without running it
    if found is None or found.origin is None:
        raise MissingExtra(
            "the package laion-clap was expected; it is not installed. It needs numpy<2: "
            "pip install 'pmg-sdk[laion-clap]' in an environment of its own (see docs/audio.md)."
        )
    folder = str(Path(found.origin).parent)
    sys.path.append(folder)
    try:
        return importlib.import_module(NAME)
    except ImportError as error:
        raise MissingExtra(
            f"laion-clap in {folder} cannot be imported ({error}). Install it with what it needs: "
            "pip install 'pmg-sdk[laion-clap]'."
        ) from error
    finally:
        sys.path.remove(folder)
