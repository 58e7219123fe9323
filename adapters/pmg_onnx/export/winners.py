"""Whether an exported model chooses as the original does: a scenario's sample users, with its messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pmg_sdk.candidates import measure
from pmg_sdk.cli.users import behavior_of, sample_messages, sample_users
from pmg_sdk.errors import BackendError, ConfigError
from pmg_sdk.interfaces import Scorer, TextEncoder
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.progress import Observer, Silent, check_cancelled
from pmg_sdk.selection import Candidate, score

__all__ = ["Pair", "check_winners", "compare_winners", "summary"]

STAGE = "winners"


@dataclass(frozen=True)
class Pair:
    """One user and one message.

    Attributes:
        original, exported: the weights that won.
        margin: by how much z of the original's winner was above the next.
        shift: how far z of a candidate moved at most.
    """

    user: str
    message: str
    original: str
    exported: str
    margin: float
    shift: float

    @property
    def same(self) -> bool:
        """Whether the same candidate won."""
        return self.original == self.exported


def compare_winners(
    scenario: str,
    *,
    text_encoder: TextEncoder | None = None,
    scorer: Scorer | None = None,
    users: Sequence[str] | None = None,
    messages: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    observer: Observer | None = None,
) -> Iterator[Pair]:
    """Answer every pair of user and message with the scenario's own adapters, and with exported ones.

    Both see the same keywords and noises. Where the text encoder is exchanged every picture is made twice;
    a scorer alone judges the pictures that are there.

    Args:
        text_encoder, scorer: what is put in place of the original, one of them or both.
        users, messages: None takes all samples of the scenario.
        settings: fields of `PMGConfig` in place of the profile's.

    Raises:
        ConfigError: the scenario has no samples. PMGError: see `PMGPipeline.generate`.
    """
    observer = observer or Silent()
    users = list(sample_users(scenario)) if users is None else users
    messages = sample_messages(scenario) if messages is None else messages
    if not users or not messages:
        raise ConfigError(
            f"a scenario with sample users and sample messages was expected; {scenario!r} has none"
        )
    own = dict(settings or {})
    original = PMGPipeline.from_scenario(scenario, **own)
    shared: dict[str, Any] = {"generator": original.roles.generator}
    if text_encoder is not None:
        shared["text_encoder"] = text_encoder
    if scorer is not None:
        shared["scorer"] = scorer
    exported = PMGPipeline.from_scenario(scenario, **own | shared)
    targets = {message: original.target(message) for message in messages}
    observer.start(STAGE, len(users) * len(messages))
    for user in users:
        preference = original.preference(behavior_of(user, scenario))
        for message, target in targets.items():
            check_cancelled(observer)
            plan = original.plan(preference, target)
            made = original.make(plan)
            if text_encoder is not None:
                found = exported.make(exported.plan(preference, target))
            else:
                assert scorer is not None
                scores = measure([each.media for each in made], plan.keywords, scorer)
                found = [
                    Candidate(
                        each.weights, each.seed, each.media, d_p, d_t, score(d_p, d_t, original.config.alpha)
                    )
                    for each, (d_p, d_t) in zip(made, scores, strict=True)
                ]
            first, second = original.select(made), original.select(found)
            ranked = sorted((each.z for each in made), reverse=True)
            yield Pair(
                user=user,
                message=message,
                original=_name(first.winner),
                exported=_name(second.winner),
                margin=ranked[0] - ranked[1] if len(ranked) > 1 else float("inf"),
                shift=max(abs(a.z - b.z) for a, b in zip(made, found, strict=True)),
            )
            observer.advance(STAGE)


def check_winners(pairs: Sequence[Pair]) -> None:
    """Nothing, where the same candidates won.

    Raises:
        BackendError: others did; the message says how many, and how near they were to each other.
    """
    others = [pair for pair in pairs if not pair.same]
    if others:
        nearest = max(others, key=lambda pair: pair.margin)
        raise BackendError(
            f"the same winners were expected for all {len(pairs)} pairs of sample user and message; got "
            f"others for {len(others)}, where the first was up to {nearest.margin:.3g} in z before the next, "
            f"and z moved by {nearest.shift:.3g}. Nothing was written. Export with a finer --precision."
        )


def summary(pairs: Sequence[Pair]) -> str:
    """What was found, in a line."""
    same, most = sum(pair.same for pair in pairs), max(pair.shift for pair in pairs)
    return f"{same} of {len(pairs)} winners are the same; z moved by {most:.2g} at most"


def _name(candidate: Candidate) -> str:
    return f"{candidate.weights} seed {candidate.seed}"
