"""Who a command is for: a sample user of the scenario, or a behaviour file."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmg_sdk.behavior import Behavior

__all__ = ["behavior_of", "sample_users"]


def behavior_of(user: str, scenario: str) -> Behavior:
    """The behaviour of a sample user, or of a JSON file when `user` looks like a path.

    Raises:
        BehaviorError: there is no such sample, or the file is not a behaviour.
    """
    from pmg_sdk.behavior import Behavior
    from pmg_sdk.errors import BehaviorError

    samples = sample_users(scenario)
    if user in samples:
        return Behavior.load(samples[user])
    path = Path(user)
    if path.suffix == ".json" or path.exists():
        return Behavior.load(path)
    raise BehaviorError(
        f"a sample user of {scenario!r} or a behaviour file was expected; got {user!r}. "
        f"Samples: {', '.join(samples) or 'none'}. A file is JSON with 'history' and 'conversation'."
    )


def sample_users(scenario: str) -> dict[str, Path]:
    """The files of the scenario's sample users, by name: `users/NAME.json` beside its module."""
    from pmg_sdk.plugins import registry

    module = registry().scenario_spec(scenario).factory.partition(":")[0]
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return {}
    found = (Path(spec.origin).parent / "users").glob("*.json")
    return {path.stem: path for path in sorted(found)}
