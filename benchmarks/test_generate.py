"""A warm `generate`, best of five, on the real embedded models: emojis, and four seconds of music.

`pytest benchmarks/test_generate.py -m slow -s`; fetches the published assets on the first run. The extra
info it prints is where the time goes, the SDK's own share, and the peak of resident memory.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent))

from adapter_clock import AdapterClock

from pmg_sdk import Behavior, PMGPipeline
from pmg_sdk.cli.users import behavior_of, sample_users

MESSAGES = {
    "emoticons": (
        "I am so sad today",
        "What a great day",
        "This makes me furious",
        "I can hardly keep my eyes open",
        "That joke was too good",
        "I love you so much",
    ),
    "background_music": (
        "The dragon wakes up and attacks the village",
        "A quiet morning by the lake",
        "The hero comes home, and everyone cheers",
        "A funeral in the rain",
        "A chase across the roofs",
        "A funny market where everything goes wrong",
    ),
}
WATCHED = {
    "llm": ("complete", "choose", "count_tokens", "load"),
    "scorer": ("embed_text", "embed_media", "load"),
    "generator": ("generate", "load"),
}


@pytest.fixture(scope="module", params=list(MESSAGES))
def pipeline(request: pytest.FixtureRequest) -> PMGPipeline:
    pipeline = PMGPipeline.from_scenario(request.param)
    pipeline.load()
    return pipeline


def asked(pipeline: PMGPipeline) -> list[tuple[Behavior, str]]:
    """Another user and another message each time."""
    name = pipeline.scenario.name
    users = [behavior_of(user, name) for user in sample_users(name)]
    return list(zip(users, MESSAGES[name], strict=True))


@pytest.mark.slow
def test_warm_generate(benchmark: Any, pipeline: PMGPipeline) -> None:
    """A new user and a new message each round: keywords, five candidates, scores, the winner."""
    clock = AdapterClock()
    roles = pipeline.roles
    for role, methods in WATCHED.items():
        clock.watch(getattr(roles, role), role, methods)
    clock.watch(roles.encoder, "text_encoder", ("encode", "count_tokens"))
    for captioner in roles.captioners.values():
        clock.watch(captioner, "captioner", ("caption", "load"))
    pairs = iter(asked(pipeline))

    def warm_up() -> None:
        pipeline.generate(*next(pairs))
        clock.seconds.clear()

    warm_up()
    results = benchmark.pedantic(lambda: pipeline.generate(*next(pairs)), rounds=5)
    assert len(results.candidates) == 5
    total = benchmark.stats["total"] if benchmark.stats else 0.0
    if total:
        inside = sum(clock.seconds.values())
        benchmark.extra_info["own_share"] = round(1 - inside / total, 4)
        benchmark.extra_info["seconds"] = {role: round(value / 5, 3) for role, value in clock.seconds.items()}
        benchmark.extra_info["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(benchmark.extra_info)


@pytest.mark.slow
@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "one by one"])
def test_candidates(benchmark: Any, pipeline: PMGPipeline, batched: bool) -> None:
    """The five candidates of one plan in one batch, and one after another."""
    behavior, message = asked(pipeline)[0]
    plan = pipeline.plan(pipeline.preference(behavior), pipeline.target(message))
    requests = [draft.request for draft in plan.drafts]
    generator = pipeline.roles.generator
    groups = [requests] if batched else [[request] for request in requests]

    def make() -> None:
        for group in groups:
            generator.generate(group)

    benchmark.pedantic(make, rounds=5, warmup_rounds=1)
