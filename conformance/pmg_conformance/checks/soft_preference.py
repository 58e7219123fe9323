"""E_m: the soft half of a preference (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.samples import LONG_TEXT, SCRIPTS, TEXTS, chats
from pmg_conformance.subject import Subject
from pmg_conformance.work import as_numbers
from pmg_sdk.conditioning import Conditioning


@check(
    "PMG-SOFT-001",
    "soft_preference",
    "smoke",
    advice="Return L float32 tokens, or a vector, in the stated space.",
)
def tokens_have_the_stated_form(subject: Subject) -> None:
    """Every prompt gives the same number L of finite float32 tokens, or one vector, in the stated space.

    E^p = [E_m; E_k]: they are joined with keywords of that space.
    """
    adapter = subject.adapter
    made = adapter.encode(list(TEXTS))
    forms = {repr(each) for each in made}
    something = made[0].tokens >= 1 or made[0].pooled is not None
    expect(len(forms) == 1 and something, "one shape (L, width), or one vector", sorted(forms))
    expect({each.space for each in made} == {adapter.space}, f"the space {adapter.space!r}", made[0].space)
    expect(_finite(made), "finite tokens", "values that are no numbers")


@check("PMG-SOFT-002", "soft_preference", "smoke", advice="Cut long prompts; accept any Unicode text.")
def any_prompt_is_read(subject: Subject) -> None:
    """Long prompts, other scripts and the empty prompt are encoded, not refused.

    Histories are as long as users are old.
    """
    made = subject.adapter.encode([LONG_TEXT, *SCRIPTS, ""])
    expect(len(made) == len(SCRIPTS) + 2 and _finite(made), "finite tokens for each", len(made))


@check("PMG-SOFT-003", "soft_preference", "smoke", advice="Make `space` constant.")
def its_space_stays(subject: Subject) -> None:
    """The space is stated, and the same in every instance.

    Saved preferences are matched by the name of their space.
    """
    own, other = subject.adapter.space, subject.fresh().space
    expect(bool(own) and own == other, f"the space {own!r}", other)


@check("PMG-SOFT-004", "soft_preference", "smoke", advice="Give every prompt the same L, the empty one too.")
def everybody_has_as_many_tokens(subject: Subject) -> None:
    """Nobody has more or fewer tokens than others, however much or little they did.

    Counts of tokens act as weights in cross-attention: who did more would be heard more.
    """
    made = subject.adapter.encode([TEXTS[0], "", LONG_TEXT, *SCRIPTS])
    forms = {repr(each) for each in made}
    expect(len(forms) == 1, f"{made[0]!r} for every prompt", sorted(forms - {repr(made[0])}))


@check(
    "PMG-SOFT-005",
    "soft_preference",
    "core",
    advice="Keep what comes last: cut the principle or the oldest behaviour, or read more tokens.",
)
def what_the_user_did_is_read(subject: Subject) -> None:
    """Prompts that begin alike and end in other behaviour give other tokens.

    All prompts of a scenario begin with its principle. Who reads the beginning alone knows one user.
    """
    (work,) = subject.works
    prompts = [" ".join(turn["content"] for turn in chat) for chat in chats()]
    made = work.do(subject.adapter, prompts)
    alike = [n for n, one in enumerate(made) if any(work.same(one, other) for other in made[:n])]
    expect(not alike, f"{len(prompts)} different answers", f"the same again at places {alike}", "truncation")


@check(
    "PMG-SOFT-006",
    "soft_preference",
    "smoke",
    advice="State the name that the checkpoint holds, or None where it fits every scenario.",
)
def its_scenario_stays(subject: Subject) -> None:
    """Its scenario is a name or None, the same before and after use and in another instance.

    It is refused in other scenarios, whose prompts it has never seen.
    """
    made = subject.fresh()
    before = made.scenario
    expect(before is None or (isinstance(before, str) and before != ""), "a name or None", repr(before))
    made.encode([TEXTS[0]])
    for when, now in {"after use": made.scenario, "in another instance": subject.adapter.scenario}.items():
        expect(now == before, f"the scenario {before!r} {when}", repr(now))


@check(
    "PMG-SOFT-007",
    "soft_preference",
    "core",
    advice="Project to the width of the text encoder, and name its space.",
)
def its_tokens_join_with_keywords(subject: Subject) -> None:
    """Its tokens, or its vector, and a text encoder's of keywords have one space and one width.

    E^p = [E_m; E_k]: a width or space of its own is found here, not in the middle of a generation.
    """
    twin = subject.need("twin", "give a text encoder of its space (--twin NAME)")
    (soft,), (hard,) = subject.adapter.encode([TEXTS[0]]), twin.encode([TEXTS[1]])
    expect(soft.space == hard.space, f"the space {hard.space!r} of the text encoder", repr(soft.space))
    if soft.tokens:
        width = hard.embeds.shape[1]
        expect(soft.embeds.shape[1] == width, f"tokens of width {width}", soft.embeds.shape[1])
    if soft.pooled is not None:
        width = None if hard.pooled is None else len(hard.pooled)
        expect(len(soft.pooled) == width, f"a vector of width {width}", len(soft.pooled))


def _finite(made: Sequence[Conditioning]) -> bool:
    return all(np.isfinite(as_numbers(each)).all() for each in made)
