"""Known failures, each with a reason and a day on which it ends.

    [PMG-GEN-014]
    reason = "the backend cuts at 77 tokens; mended in its 2.0"
    until = 2027-03-01

A waiver that is stale (the check passes), out of date, or names no check is a failure itself: a list of
excuses that nobody reads is worse than none.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pmg_sdk.errors import ConfigError

__all__ = ["Waiver", "load_waivers"]


class Waiver(BaseModel):
    """Why a check may fail, and until when.

    Attributes:
        reason: in a sentence.
        until: the last day it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=10)
    until: dt.date


def load_waivers(path: str | Path) -> dict[str, Waiver]:
    """Waivers by check id.

    Raises:
        ConfigError: the file cannot be read, or an entry lacks a reason or a day.
    """
    try:
        stated = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"a TOML file of waivers was expected at {path} ({error})") from error
    waivers = {}
    for id, fields in stated.items():
        try:
            waivers[id] = Waiver.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise ConfigError(f"waiver {id} in {path}: {field}: {first['msg']}") from error
    return waivers
