"""E_m: the soft half of a preference (paper, section 3.3)."""

from __future__ import annotations

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.samples import LONG_TEXT, SCRIPTS, TEXTS
from pmg_conformance.subject import Subject


@check("PMG-SOFT-001", "soft_preference", "smoke", advice="Return L float32 tokens in the stated space.")
def tokens_have_the_stated_form(subject: Subject) -> None:
    """Every prompt gives the same number L of finite float32 tokens, in the stated space.

    E^p = [E_m; E_k]: they are joined with keywords of that space.
    """
    adapter = subject.adapter
    made = adapter.encode(list(TEXTS))
    shapes = {each.embeds.shape for each in made}
    expect(len(shapes) == 1 and min(shapes)[0] >= 1, "one shape (L, width)", shapes)
    expect({each.space for each in made} == {adapter.space}, f"the space {adapter.space!r}", made[0].space)
    finite = all(np.isfinite(each.embeds).all() for each in made)
    expect(finite, "finite tokens", "values that are no numbers")


@check("PMG-SOFT-002", "soft_preference", "smoke", advice="Cut long prompts; accept any Unicode text.")
def any_prompt_is_read(subject: Subject) -> None:
    """Long prompts, other scripts and the empty prompt are encoded, not refused.

    Histories are as long as users are old.
    """
    made = subject.adapter.encode([LONG_TEXT, *SCRIPTS, ""])
    finite = all(np.isfinite(each.embeds).all() for each in made)
    expect(len(made) == len(SCRIPTS) + 2 and finite, "finite tokens for each", len(made))


@check("PMG-SOFT-003", "soft_preference", "smoke", advice="Make `space` constant.")
def its_space_stays(subject: Subject) -> None:
    """The space is stated, and the same in every instance.

    Saved preferences are matched by the name of their space.
    """
    own, other = subject.adapter.space, subject.fresh().space
    expect(bool(own) and own == other, f"the space {own!r}", other)
