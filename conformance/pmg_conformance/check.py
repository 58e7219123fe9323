"""What a check is, and the registry of all of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = ["ANY", "TIERS", "Check", "Kind", "Tier", "check", "checks", "find_check"]

Tier = Literal["smoke", "core", "full"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""From seconds to minutes; a tier runs those before it too."""

Kind = Literal[
    "any", "llm", "captioner", "text_encoder", "soft_preference", "generator", "scorer", "scenario"
]
ANY: Kind = "any"
"""The kind of checks that every adapter must pass, whatever its role."""

_ID = re.compile(r"PMG-(ANY|LLM|CAP|TXT|SOFT|GEN|SCO|SCN)-\d{3}")


@dataclass(frozen=True)
class Check:
    """One thing that an adapter must do.

    Attributes:
        id: stable for ever, never given to another check: "PMG-GEN-014".
        kind: of subjects it is for.
        tier: the first tier that runs it.
        run: raises `ConformanceFailure` or `NotRun`; anything else it raises is a failure as well.
        title: one positive sentence.
        rationale: why the SDK relies on it.
        advice: what to do about a failure.
        since: the `SPEC_VERSION` that brought it.
        requires: the optional ability without which it is not claimed; None is for everybody.
        provisional: reported, but no reason to fail yet; for one minor version after it came.
    """

    id: str
    kind: Kind
    tier: Tier
    run: Callable[[Subject], None]
    title: str
    rationale: str
    advice: str
    since: str
    requires: str | None = None
    provisional: bool = False


_CHECKS: dict[str, Check] = {}


def check(
    id: str,
    kind: Kind,
    tier: Tier,
    *,
    advice: str,
    since: str = "1.0",
    requires: str | None = None,
    provisional: bool = False,
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a function of one subject as a check; its docstring is title and rationale.

    Raises:
        ValueError: the id is malformed or taken, or the docstring lacks a title or a rationale.
    """

    def register(run: Callable[[Any], None]) -> Callable[[Any], None]:
        title, _, rationale = inspect.cleandoc(run.__doc__ or "").partition("\n\n")
        if not _ID.fullmatch(id) or id in _CHECKS:
            raise ValueError(f"a check's id looks like PMG-GEN-014 and is its own; got {id!r}")
        if not title or not rationale:
            raise ValueError(f"{id}: a docstring of one sentence and, after an empty line, the reason")
        _CHECKS[id] = Check(
            id=id,
            kind=kind,
            tier=tier,
            run=run,
            title=" ".join(title.split()),
            rationale=" ".join(rationale.split()),
            advice=advice,
            since=since,
            requires=requires,
            provisional=provisional,
        )
        return run

    return register


def checks(kind: Kind | None = None, tier: Tier = "full") -> tuple[Check, ...]:
    """All checks, or those that a subject of `kind` meets up to `tier`, by tier and id."""
    import pmg_conformance.checks  # noqa: F401  fills the registry

    wanted: Iterable[Check] = _CHECKS.values()
    if kind is not None:
        # A scenario is no adapter: nothing that every adapter must do is asked of it.
        kinds = {kind} if kind == "scenario" else {kind, ANY}
        wanted = [each for each in wanted if each.kind in kinds]
    wanted = [each for each in wanted if TIERS.index(each.tier) <= TIERS.index(tier)]
    return tuple(sorted(wanted, key=lambda each: (TIERS.index(each.tier), each.kind != ANY, each.id)))


def find_check(id: str) -> Check:
    """The check with this id.

    Raises:
        InputError: there is none.
    """
    import difflib

    from pmg_sdk.errors import InputError

    known = {each.id: each for each in checks()}
    if id.upper() not in known:
        near = difflib.get_close_matches(id.upper(), known, n=3, cutoff=0.6)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise InputError(
            f"a check's id was expected; {id!r} is none.{hint} `pmg conformance checks` lists all."
        )
    return known[id.upper()]
