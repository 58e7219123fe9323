"""From users to examples: captions, keywords and latents are made once, before training (section 3.3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pmg_sdk.errors import BehaviorError, InputError
from pmg_sdk.keywords import Keyword, Keywords
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.progress import Observer, Silent, check_cancelled
from pmg_sdk.prompts import plain_line
from pmg_sdk.soft_prompt import soft_prompt
from pmg_sdk.training.examples import ExampleFolder, TrainingExample
from pmg_sdk.training.split import split
from pmg_sdk.training.trainable import trainable
from pmg_sdk.training.users import User

if TYPE_CHECKING:
    from pmg_sdk.interfaces import SupportsTraining
    from pmg_sdk.training.split import Supervised

__all__ = ["SHARD", "Prepared", "prepare"]

SHARD = 100
"""Users a shard: what an interrupted run has to do again at most."""


@dataclass(frozen=True)
class Prepared:
    """What came of the users of a share, now or when their shard was made.

    Attributes:
        examples: how many there are.
        left_out: users who cannot be split.
    """

    examples: int
    left_out: int


def prepare(
    users: Sequence[User],
    part: str,
    pipeline: PMGPipeline,
    folder: ExampleFolder,
    *,
    share: tuple[int, int] = (0, 1),
    observer: Observer | None = None,
) -> Prepared:
    """Make the examples of a part; shards that are there already are left alone.

    Preference keywords, summary and prompt come from what `split` leaves of each user, by the pipeline's own
    `preference`. Users who cannot be split are left out.

    Args:
        part: name of the part, "train" or "validation" for example.
        share: (k, n): this call makes every n-th shard, from the k-th on; n processes may share the work.
        observer: hears of "prepare PART", counted in users; stopping it loses the running shard at most.

    Raises:
        CapabilityError: the pipeline's generator does not support training, or takes only text.
        InputError: the folder holds examples made with other settings, or from another number of users.
        PMGError: as `PMGPipeline.preference`. Cancelled: the observer asked to stop.
    """
    observer = observer or Silent()
    generator = trainable(pipeline.roles.generator)
    modality = pipeline.roles.generator.spec.modality
    folder.begin(_about(pipeline))
    pipeline = _keywords_alone(pipeline)
    groups = {
        shard: range(shard * SHARD, min((shard + 1) * SHARD, len(users)))
        for shard in range(share[0], math.ceil(len(users) / SHARD), share[1])
    }
    missing = {shard: group for shard, group in groups.items() if not folder.has(part, shard)}
    for shard in groups.keys() - missing:
        _expect_made_from(folder, part, shard, len(groups[shard]))
    observer.start(f"prepare {part}", sum(map(len, missing.values())))
    for shard, group in missing.items():
        examples = []
        for user in (
            users[place] for place in group
        ):  # one at a time: songs of a shard would fill the memory
            check_cancelled(observer)
            try:
                parted = split(user.behavior, modality)
            except BehaviorError:
                pass  # counted below, as who is not among the examples
            else:
                examples.append(_example(user, parted, pipeline, generator))
            observer.advance(f"prepare {part}")
        folder.write(part, shard, examples, users=len(group))
    made = sum(folder.counts(part, shard)[0] for shard in groups)
    return Prepared(made, sum(map(len, groups.values())) - made)


def _example(
    user: User, parted: Supervised, pipeline: PMGPipeline, generator: SupportsTraining
) -> TrainingExample:
    preference = pipeline.preference(parted.given)
    assert preference.summary is not None  # `split` leaves nobody without behaviour
    (latent,) = generator.training_targets([parted.medium])
    return TrainingExample(
        id=user.id,
        prompt=soft_prompt(preference.summary, pipeline.scenario),
        preference=preference.keywords,
        target=_asked_for(user, parted, pipeline),
        latent=latent,
    )


def _expect_made_from(folder: ExampleFolder, part: str, shard: int, users: int) -> None:
    _, before = folder.counts(part, shard)
    if before != users:
        raise InputError(
            f"shard {shard} of the part {part!r} in {folder.path} was made from {before} users; the list has "
            f"{users} there now. Prepare another list of users in another folder."
        )


def _keywords_alone(pipeline: PMGPipeline) -> PMGPipeline:
    """The same pipeline without its soft half, which is what is about to be learnt."""
    config = pipeline.config.replaced(soft_preference=None)
    roles = pipeline.roles
    return PMGPipeline(
        config,
        llm=roles.llm,
        captioners=roles.captioners,
        text_encoder=roles.text_encoder,
        generator=roles.generator,
        scorer=roles.scorer,
        scenario=pipeline.scenario,
    )


def _about(pipeline: PMGPipeline) -> dict[str, object]:
    spec = pipeline.roles.generator.spec
    return {
        "scenario": pipeline.scenario.name,
        "space": spec.space,
        "modality": spec.modality,
        "size": spec.size and list(spec.size),
        "limits": pipeline.config.limits.model_dump(mode="json"),
        "models": {
            role: dict(model)
            for role, model in pipeline.made_by.models.items()
            if role not in ("scorer", "soft_preference")  # which have no part in it
        },
    }


def _asked_for(user: User, parted: Supervised, pipeline: PMGPipeline) -> Keywords:
    if user.target:
        name = pipeline.scenario.target.name
        texts = (plain_line(text) for text in user.target.split(","))
        return Keywords(tuple(Keyword(text, name) for text in texts if text))
    return pipeline.target(parted.target).keywords
