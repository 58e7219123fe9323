"""From options to a `PMGConfig`: the scenario's profile, then a TOML file, then single options."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pmg_sdk.config import PMGConfig

__all__ = ["config_from", "parse_assignment", "settings_options"]

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_SCENARIO = "emoticons"


def settings_options(command: F) -> F:
    """Add the options that choose scenario and settings to a command."""
    options = (
        click.option("--scenario", metavar="NAME", help=f"See `pmg scenarios`. [{DEFAULT_SCENARIO}]"),
        click.option(
            "--config",
            "config_file",
            metavar="TOML",
            type=click.Path(path_type=Path),
            help="Settings of a file; what it leaves out comes from the scenario.",
        ),
        click.option(
            "--set",
            "assignments",
            metavar="KEY=VALUE",
            multiple=True,
            help="One setting, e.g. generator.options.model=my-folder; may be repeated, and wins.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def config_from(
    scenario: str | None, config_file: Path | None, assignments: Sequence[str], **flags: Any
) -> PMGConfig:
    """The settings of a run; flags that are None are left out.

    Raises:
        click.BadParameter: an assignment is not KEY=VALUE.
        ConfigError, ScenarioNotFound: the settings are not usable.
    """
    parsed = [parse_assignment(assignment) for assignment in assignments]
    from pmg_sdk.config import PMGConfig
    from pmg_sdk.plugins import registry

    stated: Mapping[str, Any] = {}
    if config_file is not None:
        stated = PMGConfig.load(config_file).model_dump(mode="json", exclude_unset=True)
    name = scenario or stated.get("scenario") or DEFAULT_SCENARIO
    profile = PMGConfig(**{**registry().scenario(name).profile, "scenario": name})
    values = {**profile.model_dump(mode="json", exclude_unset=True), **stated, "scenario": name}
    for setting in parsed:
        values = _merged(values, setting)
    values |= {key: value for key, value in flags.items() if value is not None}
    return PMGConfig(**values)


def parse_assignment(assignment: str, flag: str = "--set") -> dict[str, Any]:
    """`a.b=1` as {"a": {"b": 1}}: the value is TOML where it can be, else text.

    Raises:
        click.BadParameter: it is no KEY=VALUE; the message names the `flag` it was given to.
    """
    key, separator, value = assignment.partition("=")
    if separator and key.strip():
        for text in (value, json.dumps(value, ensure_ascii=False)):
            try:
                return tomllib.loads(f"{key} = {text}")
            except tomllib.TOMLDecodeError:
                continue
    raise click.BadParameter(f"expected KEY=VALUE like steps=10, got {assignment!r}", param_hint=flag)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `over` says, table by table; an empty table empties."""
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        if isinstance(value, Mapping) and isinstance(before, str):
            before = {"adapter": before}  # a plain name is short for an adapter without options
        if isinstance(value, Mapping) and value and isinstance(before, Mapping):
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged
