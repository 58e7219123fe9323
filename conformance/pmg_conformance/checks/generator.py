"""M = Generator(w_p * E^p, w_t * E^t): what the search over weights relies on."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.checks.recovery import fails_and_recovers, memory_is_full, without_numbers
from pmg_conformance.contents import perceived
from pmg_conformance.failure import ConformanceFailure, expect
from pmg_conformance.observers import Recorder, StopsAfter
from pmg_conformance.samples import TEXTS
from pmg_conformance.subject import Subject
from pmg_conformance.work import Work, request
from pmg_sdk.conditioning import Conditioning, join
from pmg_sdk.errors import Cancelled, GenerationError, InputError, PMGError, SpaceMismatch
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Image, Media

CAT, ROCKET, FROG = TEXTS[0], TEXTS[1], TEXTS[2]


@check("PMG-GEN-001", "generator", "smoke", advice="See `GeneratorSpec` for the range of every field.")
def its_spec_makes_sense(subject: Subject) -> None:
    """Its spec states a modality, a kind of conditioning, and defaults that can be run.

    The pipeline plans by the spec before anything is loaded.
    """
    spec = subject.adapter.spec
    expect(spec.conditioning in ("sequence", "pooled", "text"), "a known kind", spec.conditioning)
    expect(bool(spec.modality), "a modality", repr(spec.modality))
    expect(spec.steps >= 1, "at least one step", spec.steps)
    expect(math.isfinite(spec.guidance) and spec.guidance >= 0, "a guidance >= 0", spec.guidance)
    expect((spec.space is None) == (spec.conditioning == "text"), "a space unless kind is text", spec.space)
    expect(spec == subject.adapter.spec, "the same spec at every reading", "another")


@check("PMG-GEN-002", "generator", "smoke", advice="Give the encoder whose `space` is the spec's.")
def its_text_encoder_fits(subject: Subject) -> None:
    """Its own text encoder speaks the space that its spec states.

    Without another encoder in the config, keywords are encoded by this one.
    """
    adapter = subject.adapter
    encoder = adapter.text_encoder
    if adapter.spec.conditioning == "text":
        expect(encoder is None, "no encoder for the kind text", type(encoder).__name__)
        return
    expect(encoder is not None, "a text encoder", "None")
    expect(encoder.space == adapter.spec.space, f"the space {adapter.spec.space!r}", repr(encoder.space))


@check("PMG-GEN-003", "generator", "smoke", advice="Return the medium's class, of the size in the spec.")
def media_are_what_the_spec_says(subject: Subject) -> None:
    """Media are of the modality and size that the spec states.

    The scorer is chosen by the modality, sheets are laid out by the size.
    """
    spec = subject.adapter.spec
    for medium in _made(subject, *_items(subject)):
        expect(isinstance(medium, Media), "a Media", type(medium).__name__)
        expect(medium.modality == spec.modality, f"the modality {spec.modality!r}", medium.modality)
        if isinstance(medium, Image) and spec.size is not None:
            expect(medium.size == spec.size, f"the size {spec.size}", medium.size)
        subject.show("made", medium)


@check("PMG-GEN-004", "generator", "smoke", advice="Draw the noise from a generator seeded by the request.")
def the_seed_decides_the_noise(subject: Subject) -> None:
    """Another seed gives another medium.

    Several noises for every weight pair are half of the search.
    """
    one, other = _made(subject, request(subject.adapter, CAT, 1), request(subject.adapter, CAT, 2))
    subject.show("seed 1", one)
    subject.show("seed 2", other)
    expect(
        not np.array_equal(perceived(one), perceived(other)), "another medium for another seed", "the same"
    )


@check("PMG-GEN-005", "generator", "smoke", advice="Accept every seed of 0 to 2**63 - 1.")
def every_seed_is_accepted(subject: Subject) -> None:
    """Every seed from 0 to 2**63 - 1 is accepted, and large ones differ from small ones.

    Seeds come from a hash.
    """
    seeds = (0, 2**31, 2**32, 2**63 - 1)
    made = _made(subject, *(request(subject.adapter, CAT, seed) for seed in seeds))
    distinct = {perceived(medium).tobytes() for medium in made}
    expect(len(distinct) == len(seeds), f"{len(seeds)} different media", len(distinct), "seeds are cut")


@check("PMG-GEN-006", "generator", "core", advice="Use each request's own guidance; None is the spec's.")
def guidance_is_each_requests_own(subject: Subject) -> None:
    """Guidance is each request's own, also within one batch.

    A plan may try several strengths at once.
    """
    plain = request(subject.adapter, CAT, 3)
    strong = dataclasses.replace(plain, guidance=subject.adapter.spec.guidance * 2 + 1)
    stated = dataclasses.replace(plain, guidance=subject.adapter.spec.guidance)
    work = _work(subject)
    together = _made(subject, plain, strong, stated)
    expect(work.same(together[0], together[2]), "None to mean the spec's guidance", "another medium")
    expect(not work.same(together[0], together[1]), "another medium for another guidance", "the same")
    (alone,) = _made(subject, strong)
    expect(
        work.same(alone, together[1]), "a request's own guidance in a batch", "a medium of another guidance"
    )


@check("PMG-GEN-007", "generator", "core", advice="Run as many steps as each request asks for.")
def steps_are_each_requests_own(subject: Subject) -> None:
    """A request is made with its own number of steps, whatever else is in the batch.

    Else a candidate cannot be replayed alone.
    """
    few, many = request(subject.adapter, CAT, 4, steps=1), request(subject.adapter, CAT, 4, steps=4)
    recorder, longer = Recorder(), Recorder()
    (alone,) = subject.adapter.generate([few], recorder)
    subject.adapter.generate([many], longer)
    expect(
        longer.totals.get("denoise", 0) > recorder.totals.get("denoise", 0),
        "more steps told for a request of more steps",
        f"{recorder.totals} and {longer.totals}",
    )
    (together, _) = _made(subject, few, many)
    expect(_work(subject).same(alone, together), "the same medium alone and beside a longer one", "another")


@check(
    "PMG-GEN-008", "generator", "smoke", advice="Call `observer.start('denoise', total)` and advance to it."
)
def progress_adds_up(subject: Subject) -> None:
    """The observer hears of "denoise", and its advances add up to the total.

    Progress bars that stop short or overrun are the first thing a user sees.
    """
    recorder = Recorder()
    subject.adapter.generate(list(_items(subject)), recorder)
    expect("denoise" in recorder.totals, 'a stage "denoise"', sorted(recorder.totals))
    told, heard = recorder.totals["denoise"], recorder.steps["denoise"]
    expect(told == heard and told > 0, f"advances that add up to {told}", heard)


@check("PMG-GEN-009", "generator", "smoke", advice="Call `check_cancelled(observer)` at every step.")
def it_stops_when_asked(subject: Subject) -> None:
    """It stops at the next step when the observer asks, and works as before afterwards.

    Ctrl-C and closed browser tabs must not leave a GPU busy.
    """
    work = _work(subject)
    item = request(subject.adapter, CAT, 5, steps=4)
    (before,) = _made(subject, item)
    stopping = StopsAfter("denoise", 1)
    try:
        subject.adapter.generate([item], stopping)
    except Cancelled:
        pass
    else:
        raise ConformanceFailure("Cancelled", "a finished batch", "cancelled() is not asked at every step")
    expect(stopping.steps["denoise"] < 4, "a stop before the last step", f"{stopping.steps['denoise']} steps")
    (after,) = _made(subject, item)
    expect(work.same(before, after), "the same medium after a stop", "another", "a stop leaves state behind")


@check("PMG-GEN-010", "generator", "smoke", requires="negative", advice="Guide away from `negative`.")
def a_negative_is_honoured(subject: Subject) -> None:
    """A negative conditioning changes the medium.

    What a user dislikes is sent as one; a generator that ignores it must say `negative=False`.
    """
    plain = request(subject.adapter, CAT, 6)
    away = dataclasses.replace(plain, negative=_encoded(subject, ROCKET), negative_text=ROCKET)
    one, other = _made(subject, plain, away)
    subject.show("without negative", one)
    subject.show(f"away from {ROCKET!r}", other)
    expect(not _work(subject).same(one, other), "another medium with a negative", "the same")


@check("PMG-GEN-011", "generator", "core", requires="negative", advice="Set `unconditional` to what None is.")
def no_negative_is_what_the_spec_says(subject: Subject) -> None:
    """No negative means what the spec says: the empty text, or zeros in its place.

    A model is guided away from what it learnt as "no text". From anywhere else, guidance distorts.
    """
    empty = _encoded(subject, "")
    if empty is not None and subject.adapter.spec.unconditional == "zeros":
        pooled = None if empty.pooled is None else np.zeros_like(empty.pooled)
        empty = Conditioning(np.zeros_like(empty.embeds[:1]), empty.space, pooled)
    plain = request(subject.adapter, CAT, 7)
    stated = dataclasses.replace(plain, negative=empty, negative_text="")
    one, other = _made(subject, plain, stated)
    said = subject.adapter.spec.unconditional
    expect(_work(subject).same(one, other), f"the same medium for None and {said}", "another")


@check(
    "PMG-GEN-012",
    "generator",
    "smoke",
    advice="Compare `conditioning.space` with the spec's; raise SpaceMismatch.",
)
def another_space_is_refused(subject: Subject) -> None:
    """A conditioning of another space is refused.

    Embeddings of equal width from another encoder give media that look almost right.
    """
    if subject.adapter.spec.conditioning == "text":
        return
    own = _encoded(subject, CAT)
    assert own is not None
    foreign = Conditioning(own.embeds, f"{own.space}, but another", own.pooled)
    try:
        _made(subject, request(subject.adapter, CAT, 8, conditioning=foreign))
    except SpaceMismatch:
        return
    raise ConformanceFailure("SpaceMismatch", "a medium", "the space is not compared")


@check("PMG-GEN-013", "generator", "core", advice="Check for numbers before decoding; raise GenerationError.")
def what_is_no_number_is_refused(subject: Subject) -> None:
    """Values that are no numbers end in a typed error, not in a medium, and it works afterwards.

    One overflow in fp16 otherwise becomes a black picture that is scored like any other.
    """
    if subject.adapter.spec.conditioning == "text":
        return
    own = _encoded(subject, CAT)
    assert own is not None
    broken = request(subject.adapter, CAT, 9, conditioning=without_numbers(own))
    fails_and_recovers(subject, _work(subject), lambda: _made(subject, broken), GenerationError, InputError)


@check(
    "PMG-GEN-014",
    "generator",
    "core",
    requires="sequence",
    advice="Do not cut or pad to the encoder's length.",
)
def every_token_counts(subject: Subject) -> None:
    """Tokens beyond the encoder's own length still condition.

    Preference and target are concatenated: together they are longer than any one text, and a cut takes the
    target away without a word.
    """
    parts = [(_encoded(subject, text), 1.0) for text in TEXTS]
    known = [(part, weight) for part, weight in parts if part is not None]
    most = subject.adapter.text_encoder.max_tokens
    while sum(part.tokens for part, _ in known) <= most:
        known += known
    long = join(known)
    longer = join([*known, (known[1][0], 3.0)])
    one, other = _made(
        subject,
        request(subject.adapter, "", 10, conditioning=long),
        request(subject.adapter, "", 10, conditioning=longer),
    )
    same = np.array_equal(perceived(one), perceived(other))
    expect(not same, f"tokens after the first {most} to change the medium", "the same medium", "truncation")


@check(
    "PMG-GEN-015", "generator", "core", requires="sequence", advice="Mask what is padded in every attention."
)
def only_what_is_there_conditions(subject: Subject) -> None:
    """A short conditioning gives the same medium beside a long one.

    Padding that is not masked takes attention away from a short preference.
    """
    short = request(subject.adapter, CAT, 11)
    part = _encoded(subject, ", ".join(TEXTS))
    long = request(subject.adapter, "", 12, conditioning=part)
    (alone,) = _made(subject, short)
    beside = _made(subject, short, long)[0]
    expect(
        _work(subject).same(alone, beside),
        "the same medium beside a longer conditioning",
        f"a distance of {_work(subject).distance(alone, beside):.3g}",
        "padding is not masked",
    )


@check("PMG-GEN-016", "generator", "smoke", advice="Let the embeddings decide, not only their direction.")
def weights_matter(subject: Subject) -> None:
    """Other weights of the same parts give another medium.

    The search over w_p and w_t is a search over nothing otherwise.
    """
    adapter = subject.adapter
    if adapter.spec.conditioning == "text":
        requests = [
            request(adapter, text, 13)
            for text in (f"{CAT}, {CAT}, {CAT}, {ROCKET}", f"{CAT}, {ROCKET}, {ROCKET}, {ROCKET}")
        ]
    else:
        one, other = _encoded(subject, CAT), _encoded(subject, ROCKET)
        assert one is not None
        assert other is not None
        requests = [
            request(adapter, "", 13, conditioning=join([(one, w), (other, 2 - w)])) for w in (1.6, 0.4)
        ]
    first, second = _made(subject, *requests)
    subject.show("1.6 : 0.4", first)
    subject.show("0.4 : 1.6", second)
    expect(not _work(subject).same(first, second), "another medium for other weights", "the same")


@check(
    "PMG-GEN-017", "generator", "core", advice="Check that conditioning reaches the model with its weight."
)
def a_larger_weight_shows_more(subject: Subject) -> None:
    """On average over noises, a larger w_p does not lower the preference score.

    z balances d_p and d_t; if weights do not move them, the best of five is the best of one.
    """
    adapter = subject.adapter
    if adapter.spec.conditioning == "text":
        return
    scorer = subject.need("scorer", "give a scorer that knows what it draws (--scorer NAME)")
    liked, asked = _encoded(subject, CAT), _encoded(subject, ROCKET)
    assert liked is not None
    assert asked is not None
    means = []
    (wanted,) = scorer.embed_text([CAT])
    for w_p in (0.4, 1.6):
        conditioning = join([(liked, w_p), (asked, 2 - w_p)])
        requests = [request(adapter, "", seed, conditioning=conditioning, steps=None) for seed in range(8)]
        made = _made(subject, *requests)
        subject.show(f"w_p = {w_p:g}", made[0])
        seen = scorer.embed_media(made)
        cosine = seen @ wanted / (np.linalg.norm(seen, axis=1) * np.linalg.norm(wanted))
        means.append(float(cosine.mean()))
    expect(
        means[1] >= means[0],
        f"a mean d_p of at least {means[0]:.3f} at the larger weight",
        f"{means[1]:.3f}",
        "weights are normalised away, or the parts are swapped",
    )


@check("PMG-GEN-018", "generator", "smoke", advice="Refuse what cannot be run with InputError.")
def impossible_requests_are_refused(subject: Subject) -> None:
    """No steps, and a guidance that is no number, are refused with a typed error.

    A medium of no steps is noise that looks like a result.
    """
    for wrong in ({"steps": 0}, {"guidance": float("nan")}):
        try:
            _made(subject, request(subject.adapter, CAT, 14, **wrong))
        except PMGError:
            continue
        raise ConformanceFailure(f"a PMGError for {wrong}", "a medium")


@check(
    "PMG-GEN-019", "generator", "core", requires="preview", advice="Decode the running estimate in `preview`."
)
def a_preview_shows_the_running_batch(subject: Subject) -> None:
    """`preview` shows every candidate of the running batch, and nothing when none runs.

    It is called from the observer, to draw while waiting.
    """
    adapter = subject.adapter
    shown: list[list[Media]] = []
    items = list(_items(subject))[:2]
    expect(adapter.preview() == [], "no preview before a batch", "some")
    adapter.generate(items, Recorder(at_step=lambda: shown.append(adapter.preview())))
    expect(
        any(len(each) == len(items) for each in shown),
        f"{len(items)} previews while running",
        sorted({len(each) for each in shown}),
    )
    expect(adapter.preview() == [], "no preview after a batch", "some", "the last estimate is kept")
    subject.show("preview", *shown[-1])


@check(
    "PMG-GEN-020",
    "generator",
    "core",
    advice="Map the backend's error to OutOfMemory and free what was taken.",
)
def a_full_device_is_said_so(subject: Subject) -> None:
    """Memory that does not suffice even for one ends in OutOfMemory, and it works afterwards.

    Callers shrink what they ask for when they hear it; they cannot when they hear a RuntimeError.
    """
    memory_is_full(subject, _work(subject))


def _work(subject: Subject) -> Work:
    return subject.required_works[0]


def _items(subject: Subject) -> tuple[GenerationRequest, ...]:
    return _work(subject).items


def _made(subject: Subject, *requests: GenerationRequest) -> list[Any]:
    return list(subject.adapter.generate(list(requests)))


def _encoded(subject: Subject, text: str) -> Conditioning | None:
    encoder = subject.adapter.text_encoder
    return None if encoder is None else encoder.encode([text])[0]
