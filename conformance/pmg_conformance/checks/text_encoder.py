"""Keywords to E_k: what the token budget and the weighting rely on."""

from __future__ import annotations

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.samples import LONG_TEXT, SCRIPTS, TEXTS
from pmg_conformance.subject import Subject
from pmg_conformance.work import TOLERANCE, as_numbers
from pmg_sdk.conditioning import Conditioning


@check("PMG-TXT-001", "text_encoder", "smoke", advice="Return float32 conditionings without padding.")
def embeddings_have_the_stated_form(subject: Subject) -> None:
    """Every embedding is a finite float32 Conditioning of the stated space and one width.

    Parts are concatenated and weighed as they are.
    """
    adapter = subject.adapter
    made = adapter.encode(list(TEXTS))
    expect(all(isinstance(each, Conditioning) for each in made), "Conditionings", type(made[0]).__name__)
    expect(bool(adapter.space), "a space", repr(adapter.space))
    spaces = {each.space for each in made}
    expect(spaces == {adapter.space}, f"the space {adapter.space!r}", spaces)
    widths = {each.embeds.shape[1] for each in made}
    expect(len(widths) == 1, "one width", widths)
    finite = all(np.isfinite(each.embeds).all() for each in made)
    expect(finite, "finite embeddings", "values that are no numbers")


@check("PMG-TXT-002", "text_encoder", "smoke", advice="Return at least one token, at most `max_tokens`.")
def lengths_stay_within_the_limit(subject: Subject) -> None:
    """A text has at least one token and at most `max_tokens`, however long it is; it is cut, not refused.

    The budget is planned by `max_tokens`; a text over it is a fact of life, not an error.
    """
    adapter = subject.adapter
    for text in (*TEXTS, LONG_TEXT):
        (made,) = adapter.encode([text])
        tokens = made.tokens or (1 if made.pooled is not None else 0)
        expect(1 <= tokens <= adapter.max_tokens, f"1 to {adapter.max_tokens} tokens", tokens)


@check("PMG-TXT-003", "text_encoder", "smoke", advice="Encode the empty text as any other.")
def the_empty_text_is_a_text(subject: Subject) -> None:
    """The empty text can be encoded.

    It is the negative of everybody who dislikes nothing.
    """
    (made,) = subject.adapter.encode([""])
    expect(made.tokens > 0 or made.pooled is not None, "an embedding of the empty text", repr(made))


@check("PMG-TXT-004", "text_encoder", "smoke", advice="Count before cutting, special tokens included.")
def counts_are_not_cut(subject: Subject) -> None:
    """`count_tokens` counts without cutting: a longer text counts more, beyond the limit too.

    Keywords are dropped by these counts, and the result says which; a count that stops at the limit says
    that everything fits.
    """
    adapter = subject.adapter
    one, twice, long = adapter.count_tokens([TEXTS[0], f"{TEXTS[0]}, {TEXTS[0]}", LONG_TEXT])
    expect(0 < one < twice, "a count that grows with the text", f"{one}, then {twice}")
    expect(long > adapter.max_tokens, f"more than {adapter.max_tokens} for a long text", long, "cut first")


@check(
    "PMG-TXT-005",
    "text_encoder",
    "smoke",
    advice="Let `encode` keep as many tokens as `count_tokens` counts.",
)
def counts_are_what_is_encoded(subject: Subject) -> None:
    """What is counted is what is encoded, for texts within the limit.

    Budget and conditioning must speak of the same tokens.
    """
    adapter = subject.adapter
    counts = adapter.count_tokens(list(TEXTS))
    made = adapter.encode(list(TEXTS))
    if any(each.tokens == 0 for each in made):
        return  # a pooled space has no tokens to compare
    padded = len({each.tokens for each in made}) == 1 and made[0].tokens == adapter.max_tokens
    pairs = [(count, each.tokens) for count, each in zip(counts, made, strict=True)]
    expect(padded or all(a == b for a, b in pairs), "equal counts", pairs)


@check("PMG-TXT-006", "text_encoder", "smoke", advice="Accept any Unicode text.")
def every_script_is_read(subject: Subject) -> None:
    """Other scripts, emoji and control characters are encoded, not refused.

    Users write as they write.
    """
    made = subject.adapter.encode(list(SCRIPTS))
    finite = all(np.isfinite(each.embeds).all() for each in made)
    expect(len(made) == len(SCRIPTS) and finite, "finite embeddings of every script", len(made))


@check("PMG-TXT-007", "text_encoder", "core", advice="Name another space, or make the embeddings equal.")
def equal_spaces_are_equal(subject: Subject) -> None:
    """Two encoders that claim one space give the same embeddings.

    They are swapped by name, for speed; nothing else may change.
    """
    twin = subject.need("twin", "give another encoder of the same space (--twin NAME)")
    adapter = subject.adapter
    expect(twin.space == adapter.space, f"the space {adapter.space!r}", twin.space)
    for text, one, other in zip(TEXTS, adapter.encode(list(TEXTS)), twin.encode(list(TEXTS)), strict=True):
        expect(repr(one) == repr(other), f"the form {one!r}", repr(other))
        mine, theirs = as_numbers(one), as_numbers(other)
        worst = float(np.abs(mine - theirs).max())
        scale = float(np.abs(mine).max())
        expect(
            worst <= 10 * TOLERANCE * scale, f"equal embeddings of {text!r}", f"a difference of {worst:.3g}"
        )


@check("PMG-TXT-008", "text_encoder", "smoke", advice="Make `space` and `max_tokens` constant.")
def what_it_states_stays(subject: Subject) -> None:
    """Space and longest length stay the same, before and after use and in another instance.

    Saved preferences are matched by the name of their space.
    """
    made = subject.fresh()
    before = (made.space, made.max_tokens)
    made.encode([TEXTS[0]])
    expect((made.space, made.max_tokens) == before, f"{before}", (made.space, made.max_tokens))
    own = (subject.adapter.space, subject.adapter.max_tokens)
    expect(before == own, f"{own} in another instance", before)
