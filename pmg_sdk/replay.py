"""The same picture again, from nothing but its JSON."""

from __future__ import annotations

from pathlib import Path

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.conditioning_file import read_conditioning
from pmg_sdk.errors import (
    AdapterNotFound,
    ConfigError,
    InputError,
    MissingExtra,
    ReplayError,
    ScenarioNotFound,
)
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.plugins import Registry
from pmg_sdk.preference import UserPreference
from pmg_sdk.progress import Observer
from pmg_sdk.provenance import Provenance
from pmg_sdk.record import Record, media_digest
from pmg_sdk.result import Result
from pmg_sdk.selection import Selection
from pmg_sdk.target import Target

__all__ = ["replay"]


def replay(
    path: str | Path,
    *,
    pipeline: PMGPipeline | None = None,
    plugins: Registry | None = None,
    observer: Observer | None = None,
) -> Result:
    """Make the recorded candidates again, in the recorded batch, and return the recorded winner.

    The language model is not asked: the keywords are in the file. `Result.reproduced` tells
    whether the winner's bytes are the recorded ones; where they are not (another device or
    version draws slightly differently) `Result.warnings` says so.

    Args:
        path: a `result.json`.
        pipeline: needed when the result was made with adapter objects rather than names.
        plugins: where names are looked up; None takes the process-wide registry.

    Raises:
        ReplayError: the file or its soft preference file is damaged, or what made it is not installed.
    """
    path = Path(path)
    record = Record.load(path)
    config, keywords = record.settings(), record.parts()
    if pipeline is None:
        pipeline = _rebuilt(record, plugins)
    elif pipeline.config.digest() != record.config_digest:
        raise ReplayError(
            "a pipeline with the recorded config was expected; got one with another. "
            'Build it from the file\'s "config".'
        )
    preference = UserPreference(
        keywords.preference,
        keywords.avoided,
        soft=None if record.soft is None else _soft(path.with_name(record.soft)),
        made_by=Provenance(config.scenario, record.config_digest, record.models, record.pmg_sdk),
    )
    target = Target(keywords.target)
    plan = pipeline.plan(preference, target, seed=record.seed, observer=observer)
    again = pipeline.select(pipeline.make(plan, observer))
    if len(again.candidates) != len(record.candidates):
        raise ReplayError(
            f"{len(record.candidates)} candidates were expected, as recorded; {len(again.candidates)} were "
            f"made. Replay it with pmg-sdk {record.pmg_sdk}."
        )
    winner = again.candidates[record.winner]
    reproduced = media_digest(winner.media) == record.media.sha256
    return Result(
        selection=Selection(again.candidates, winner, again.alpha),
        preference=preference,
        target=target,
        plan=plan,
        config=config,
        seed=record.seed,
        made_by=pipeline.made_by,
        reproduced=reproduced,
        notes=_differences(record, pipeline, reproduced=reproduced, same_winner=winner is again.winner),
    )


def _soft(path: Path) -> Conditioning:
    try:
        return read_conditioning(path)
    except InputError as error:
        raise ReplayError(
            f"the soft preference embeddings of this result cannot be read: {error}. "
            "Keep the files of a result's folder together."
        ) from error


def _rebuilt(record: Record, plugins: Registry | None) -> PMGPipeline:
    try:
        return PMGPipeline(record.settings(), plugins=plugins)
    except (AdapterNotFound, MissingExtra, ScenarioNotFound) as error:
        raise ReplayError(f"what made this result is not installed: {error}") from error
    except ConfigError as error:
        raise ReplayError(
            "this result was made with adapter objects, which a file cannot hold; hand in pipeline=... "
            f"({error})"
        ) from error


def _differences(
    record: Record, pipeline: PMGPipeline, *, reproduced: bool, same_winner: bool
) -> tuple[str, ...]:
    found = []
    if not reproduced:
        found.append("the medium differs from the recorded one in at least one byte")
    if not same_winner:
        found.append("another candidate would win now; the recorded winner was kept")
    now = pipeline.made_by
    if now.version != record.pmg_sdk:
        found.append(f"made with pmg-sdk {record.pmg_sdk}, replayed with {now.version}")
    found += [
        f"{role}: made with {_named(record.models.get(role))}, replayed with {_named(now.models.get(role))}"
        for role in ("text_encoder", "generator", "scorer")
        if _named(record.models.get(role)) != _named(now.models.get(role))
    ]
    return tuple(found)


def _named(model: object) -> str:
    return " ".join(model.values()) if isinstance(model, dict) else "none"
