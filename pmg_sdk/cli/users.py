"""Who a command is for: a sample user of the scenario, or a behaviour file.

Beside its module a scenario may have a folder `users` of behaviour files, and a module `samples`
whose `load_user(path)` reads files that say more than plain behaviour, such as names in a catalogue, and
whose `sample_messages()` gives what may be asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmg_sdk.behavior import Behavior

__all__ = ["behavior_of", "sample_messages", "sample_users"]


def behavior_of(user: str, scenario: str) -> Behavior:
    """The behaviour of a sample user, or of a JSON file when `user` looks like a path.

    Raises:
        BehaviorError: there is no such sample, or the file is not a behaviour.
    """
    from pmg_sdk.behavior import Behavior
    from pmg_sdk.errors import BehaviorError

    samples = sample_users(scenario)
    path = samples.get(user, Path(user))
    if user in samples or path.suffix == ".json" or os.path.exists(path):
        load: Callable[[Path], Behavior] = Behavior.load
        module = f"{_package(scenario)}.samples"
        if importlib.util.find_spec(module) is not None:
            load = importlib.import_module(module).load_user
        return load(path)
    raise BehaviorError(
        f"a sample user of {scenario!r} or a behaviour file was expected; got {user!r:.80}. "
        f"Samples: {', '.join(samples) or 'none'}. A file is JSON with 'history' and 'conversation'."
    )


def sample_users(scenario: str) -> dict[str, Path]:
    """The files of the scenario's sample users, by name: `users/NAME.json` beside its module."""
    spec = importlib.util.find_spec(_package(scenario))
    if spec is None or spec.origin is None:
        return {}
    found = (Path(spec.origin).parent / "users").glob("*.json")
    return {path.stem: path for path in sorted(found)}


def sample_messages(scenario: str) -> tuple[str, ...]:
    """The scenario's sample messages, where it has some."""
    module = f"{_package(scenario)}.samples"
    if importlib.util.find_spec(module) is None:
        return ()
    found: Callable[[], Sequence[str]] = getattr(importlib.import_module(module), "sample_messages", tuple)
    return tuple(found())


def _package(scenario: str) -> str:
    from pmg_sdk.plugins import registry

    module = registry().scenario_spec(scenario).factory.partition(":")[0]
    return module.rpartition(".")[0] or module
