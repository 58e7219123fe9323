"""d loss / d E: what lets a soft preference learn through a frozen generator (paper, section 3.3.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.check import check
from pmg_conformance.checks.recovery import fails_and_recovers, memory_is_full, without_numbers
from pmg_conformance.failure import ConformanceFailure, expect
from pmg_conformance.subject import Subject
from pmg_conformance.training import TRAINING_TOLERANCE, Entry, loss
from pmg_conformance.work import Work, as_numbers
from pmg_sdk.errors import GenerationError, InputError, SpaceMismatch
from pmg_sdk.interfaces import TrainingLoss

STEP, CHANGE = 0.02, 0.01
"""How far a conditioning is moved to see a slope: so much of its own length, or less where the loss would
change by more than so much of itself, as a steep loss is curved."""

SLOPE_TOLERANCE = 0.1
"""Largest relative difference of a gradient and what is seen: a step is not infinitely small."""

ROUNDING = 1e-5
"""Of a loss in float32, relative: slopes below it cannot be seen."""

SEEDS, DRAWS = range(64), 8
"""One noise says little, so many seeds draw it; a quarter draw 8, whose mean varies 2.8 times less."""


@check(
    "PMG-GEN-021",
    "generator",
    "smoke",
    requires="training",
    advice="Resize media as for the model's own training; return one float32 array each.",
)
def targets_have_one_form(subject: Subject) -> None:
    """Targets are finite float32 arrays of one shape, whatever the size of the media.

    They are kept in one array for a whole training, and media of users come in every size.
    """
    own = subject.required_works[0]
    media = [*subject.media(2), *own.do(subject.adapter, own.items[:1])]
    targets = subject.adapter.training_targets(media)
    expect(len(targets) == len(media), f"{len(media)} targets", len(targets))
    forms = {(str(target.dtype), target.shape) for target in targets}
    expect(len(forms) == 1 and min(forms)[0] == "float32", "float32 arrays of one shape", sorted(forms))
    finite = all(np.isfinite(target).all() for target in targets)
    expect(finite, "finite targets", "values that are no numbers")


@check(
    "PMG-GEN-022",
    "generator",
    "smoke",
    requires="training",
    advice="Take the mean over noises and numbers, not over the batch.",
)
def losses_have_the_stated_form(subject: Subject) -> None:
    """There is one float32 loss for every entry, finite and not below 0.

    They are weighed and averaged by who trains, and compared between steps.
    """
    entries = _entries(subject)
    values = loss(subject.adapter, entries, gradients=False).values
    form, wanted = (str(values.dtype), values.shape), ("float32", (len(entries),))
    expect(form == wanted, f"an array of {wanted}", form)
    expect(bool((np.isfinite(values) & (values >= 0)).all()), "finite losses >= 0", values)


@check(
    "PMG-GEN-023",
    "generator",
    "smoke",
    requires="training",
    advice="Return a Conditioning of the shape and space of the one given, `pooled` where that has one.",
)
def gradients_have_the_form_of_their_conditioning(subject: Subject) -> None:
    """There is one finite gradient for every conditioning, of its shape and in its space.

    It is handed back to what made the conditioning, token by token.
    """
    entries = _entries(subject)
    gradients = loss(subject.adapter, entries).gradients
    expect(len(gradients) == len(entries), f"{len(entries)} gradients", len(gradients))
    for entry, gradient in zip(entries, gradients, strict=True):
        wanted, got = repr(entry.conditioning), repr(gradient)
        expect(got == wanted, f"a gradient of the form {wanted}", got)
        finite = np.isfinite(as_numbers(gradient)).all()
        expect(bool(finite), "a finite gradient", "values that are no numbers")


@check(
    "PMG-GEN-024",
    "generator",
    "smoke",
    requires="training",
    advice="Let `gradients` decide what is returned, and nothing else.",
)
def gradients_are_there_when_asked_for(subject: Subject) -> None:
    """Without gradients there are none, and the losses are the same.

    Validation asks for losses alone, twice as fast, and is compared with training.
    """
    entries = _entries(subject)
    full, bare = (loss(subject.adapter, entries, gradients=asked) for asked in (True, False))
    expect(not bare.gradients, "no gradients where none were asked for", len(bare.gradients))
    same = np.allclose(full.values, bare.values, rtol=TRAINING_TOLERANCE, atol=0)
    expect(same, f"losses {full.values} without gradients", bare.values)


@check(
    "PMG-GEN-025",
    "generator",
    "smoke",
    requires="training",
    advice="Give the model the conditioning, and compare its answer with the target.",
)
def conditioning_and_target_decide_the_loss(subject: Subject) -> None:
    """Another conditioning gives another loss, and so does another target.

    Else there is nothing to learn, or nothing to learn it from.
    """
    one, other = _entries(subject)[:2]
    changed = [
        one,
        one._replace(conditioning=other.conditioning),
        one._replace(target=other.target),
    ]
    values = loss(subject.adapter, changed, gradients=False).values
    for what, value in zip(("conditioning", "target"), values[1:], strict=True):
        expect(value != values[0], f"another loss for another {what}", "the same")


@check(
    "PMG-GEN-026",
    "generator",
    "smoke",
    requires="training",
    advice="Seed noises and their levels by the entry's seed, 0 to 2**63 - 1.",
)
def every_seed_draws_noise_of_its_own(subject: Subject) -> None:
    """Every seed from 0 to 2**63 - 1 is accepted in training, and each gives another loss.

    Every step of a training draws other noises; seeds come from a hash.
    """
    entry = _entries(subject)[0]
    drawn = [entry._replace(seed=seed) for seed in (0, 1, 2**31, 2**32, 2**63 - 1)]
    values = loss(subject.adapter, drawn, gradients=False).values
    distinct = len(set(values.tolist()))
    expect(distinct == len(drawn), f"{len(drawn)} different losses", distinct, "seeds are cut or ignored")


@check(
    "PMG-GEN-027",
    "generator",
    "core",
    requires="training",
    advice="Draw `draws` noises for every entry and return the mean of their losses.",
)
def draws_are_averaged(subject: Subject) -> None:
    """The loss of many draws is a mean: of the size of one draw's, and it varies less over seeds.

    One noise says little about a conditioning: validation draws many.
    """
    entry = _entries(subject)[0]
    entries = [entry._replace(seed=seed) for seed in SEEDS]
    one = loss(subject.adapter, entries, gradients=False).values
    many = loss(subject.adapter, entries[: len(entries) // 4], draws=DRAWS, gradients=False).values
    expect(
        many.std() < 0.9 * one.std(),
        f"a deviation over seeds well below the {one.std():.3g} of one draw",
        f"{many.std():.3g}",
        "`draws` is ignored, or losses are added",
    )
    # Losses depend on the noise level, which a seed draws too: means may differ by what chance allows.
    chance = float(np.hypot(one.std() / len(one) ** 0.5, many.std() / len(many) ** 0.5))
    expect(
        abs(many.mean() - one.mean()) <= 5 * chance,
        f"losses about {one.mean():.3g} for {DRAWS} draws as for one",
        f"{many.mean():.3g}",
        "losses are not divided by the number of draws, or twice",
    )


@check(
    "PMG-GEN-028",
    "generator",
    "smoke",
    requires="training",
    advice="Return d loss / d conditioning: positive where the loss grows.",
)
def a_step_down_lowers_the_loss(subject: Subject) -> None:
    """A small step against the gradient lowers the loss at the same seed.

    A training is nothing but such steps.
    """
    entries = _entries(subject)
    made = loss(subject.adapter, entries)
    downhill = entries
    for field in _fields(entries):
        slopes = [getattr(gradient, field) for gradient in made.gradients]
        downhill = _moved(downhill, field, [-step for step in _steps(entries, made, field, slopes)])
    after = loss(subject.adapter, downhill, gradients=False).values
    expect(
        bool((after < made.values).all()),
        f"losses below {made.values} after a step",
        after,
        "the sign of the gradient, or one that is zero",
    )


@check(
    "PMG-GEN-029",
    "generator",
    "core",
    requires="training",
    advice="Differentiate each entry's own loss: sum over the batch before the backward pass, never average.",
)
def gradients_are_slopes(subject: Subject) -> None:
    """Gradients are the slopes of the loss, along themselves and in random directions.

    Wrong scales, tokens without a gradient and detached streams still learn, slowly and something else.
    """
    adapter, entries, rng = subject.adapter, _entries(subject)[:2], np.random.default_rng(0)
    made = loss(adapter, entries, draws=2)
    for field in _fields(entries):
        slopes = [getattr(gradient, field) for gradient in made.gradients]
        random = [rng.standard_normal(slope.shape, np.float32) for slope in slopes]
        for what, arrows in {"themselves": slopes, "a random direction": random}.items():
            steps = _steps(entries, made, field, arrows)
            claimed = np.array([2 * np.sum(step * slope) for step, slope in zip(steps, slopes, strict=True)])
            ends = (_moved(entries, field, steps), _moved(entries, field, [-step for step in steps]))
            up, down = (loss(adapter, end, draws=2, gradients=False).values for end in ends)
            apart, seen = np.abs(claimed - (up - down)).sum(), np.abs(up - down).sum()
            expect(
                bool(apart <= SLOPE_TOLERANCE * seen + ROUNDING * made.values.sum()),
                f"the losses to change by {claimed} along {what}, as the gradients of {field} say",
                up - down,
                "a mean over the batch, a loss that was scaled, or a part that is cut off",
            )


@check(
    "PMG-GEN-030",
    "generator",
    "smoke",
    requires="training",
    advice="Compare `conditioning.space` with the spec's; raise SpaceMismatch.",
)
def training_in_another_space_is_refused(subject: Subject) -> None:
    """A conditioning of another space is refused in training too.

    What learns in the space of another encoder learns nothing that can be used.
    """
    entry = _entries(subject)[0]
    foreign = dataclasses.replace(entry.conditioning, space=f"{entry.conditioning.space}, but another")
    try:
        loss(subject.adapter, [entry._replace(conditioning=foreign)])
    except SpaceMismatch:
        return
    raise ConformanceFailure("SpaceMismatch", "a loss", "the space is not compared")


@check(
    "PMG-GEN-031",
    "generator",
    "core",
    requires="training",
    advice="Freeze the weights, and leave neither training mode nor gradients behind.",
)
def training_and_generating_do_not_mix(subject: Subject) -> None:
    """Media are the same before and after training, and losses before and after generating.

    The generator is frozen: what learns stands before it. Training is validated by generating in between.
    """
    generating, training = subject.required_works[0], _work(subject, "gradients")
    for work, between in ((generating, training), (training, generating)):
        (before,) = work.do(subject.adapter, work.items[:1])
        between.do(subject.adapter, between.items)
        (after,) = work.do(subject.adapter, work.items[:1])
        expect(
            work.same(before, after),
            f"{work.name}: the same answer after {between.name}",
            f"a distance of {work.distance(before, after):.3g}",
            "weights that are not frozen, or dropout left on",
        )


@check(
    "PMG-GEN-032",
    "generator",
    "core",
    requires="training",
    advice="Check losses for numbers; raise GenerationError.",
)
def a_loss_that_is_no_number_is_refused(subject: Subject) -> None:
    """A loss that is no number ends in a typed error, and it works afterwards.

    One NaN that is handed on makes every weight of the learner NaN.
    """
    entry = _entries(subject)[0]
    broken = entry._replace(conditioning=without_numbers(entry.conditioning))
    fails_and_recovers(
        subject, _work(subject), lambda: loss(subject.adapter, [broken]), GenerationError, InputError
    )


@check(
    "PMG-GEN-033",
    "generator",
    "core",
    requires="training",
    advice="Map the backend's error to OutOfMemory and free what was taken.",
)
def a_full_device_is_said_so_in_training(subject: Subject) -> None:
    """Memory that does not suffice for one loss ends in OutOfMemory, and it works afterwards.

    Training takes several times the memory of generating; who trains asks for less when they hear it.
    """
    memory_is_full(subject, _work(subject))


def _work(subject: Subject, name: str = "training_loss") -> Work:
    (work,) = (work for work in subject.works if work.name == name)
    return work


def _entries(subject: Subject) -> tuple[Entry, ...]:
    return _work(subject).items


def _fields(entries: Sequence[Entry]) -> tuple[str, ...]:
    """The parts of their conditionings that have a gradient."""
    return ("embeds",) if entries[0].conditioning.pooled is None else ("embeds", "pooled")


def _steps(
    entries: Sequence[Entry], made: TrainingLoss, field: str, arrows: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Small steps along `arrows`."""
    steps = []
    for entry, value, gradient, arrow in zip(entries, made.values, made.gradients, arrows, strict=True):
        along = arrow / max(float(np.linalg.norm(arrow)), 1e-30)
        slope = abs(float(np.sum(along * getattr(gradient, field))))
        own = float(np.linalg.norm(getattr(entry.conditioning, field)))
        steps.append(along * np.float32(min(STEP * own, CHANGE * float(value) / max(slope, 1e-30))))
    return steps


def _moved(entries: Sequence[Entry], field: str, steps: Sequence[NDArray[np.float32]]) -> tuple[Entry, ...]:
    """Entries whose conditionings went these steps."""
    ends = [
        dataclasses.replace(entry.conditioning, **{field: getattr(entry.conditioning, field) + step})
        for entry, step in zip(entries, steps, strict=True)
    ]
    return tuple(entry._replace(conditioning=end) for entry, end in zip(entries, ends, strict=True))
