"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import ScenarioSpec

__all__ = ["pmg_scenarios"]


@hookimpl
def pmg_scenarios() -> Iterable[ScenarioSpec]:
    """The scenarios "emoticons" and "background_music"."""
    return (
        ScenarioSpec(
            name="emoticons",
            factory="pmg_scenarios.emoticons.scenario:EMOTICONS",
            description="An emoji that says what the message says, in the way this user likes it",
        ),
        ScenarioSpec(
            name="background_music",
            factory="pmg_scenarios.background_music.scenario:BACKGROUND_MUSIC",
            description="Music for a scene of a game or a film, of the kind this user listens to",
        ),
    )
