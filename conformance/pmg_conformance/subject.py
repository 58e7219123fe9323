"""What is under test: how to make it, what it claims, and the work it can be given."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_conformance.check import Kind, Tier
from pmg_conformance.exhibit import Exhibit
from pmg_conformance.failure import NotRun

if TYPE_CHECKING:
    from pmg_conformance.cold_start import ColdStart
    from pmg_conformance.golden import Golden
    from pmg_conformance.work import Work
    from pmg_sdk.media import Media
    from pmg_sdk.plugins import AdapterSpec
    from pmg_sdk.specs import ScenarioSpec

__all__ = ["Aids", "Subject"]


@dataclass(frozen=True)
class Aids:
    """What some checks need besides the adapter; a check whose aid is missing is not run.

    Attributes:
        media: sample media of the adapter's modality; drawn patterns where there are none.
        pairs: texts with a medium that shows each, for scorers.
        scorer: judges what a generator makes.
        twin: another text encoder that claims the same space, for text encoders and soft preferences.
        golden: what it answered once, see `pmg_conformance.golden`.
        budget_seconds: until the first answer in a new process; None is generous, by tier.
        words: of a command that gives these same aids, for the repro of a failure.
    """

    media: Sequence[Media] = ()
    pairs: Sequence[tuple[str, Media]] = ()
    scorer: Any = None
    twin: Any = None
    golden: Golden | None = None
    budget_seconds: float | None = None
    words: Sequence[str] = ()

    def with_golden(self, path: Path) -> Aids:
        """These, and the golden file at `path`.

        Raises:
            InputError: there is none.
        """
        from pmg_conformance.golden import load_golden

        words = (*self.words, "--golden", str(path))
        return dataclasses.replace(self, golden=load_golden(path), words=words)


@dataclass(eq=False)
class Subject:
    """An adapter, or a scenario, under test.

    Attributes:
        kind: its role, or "scenario".
        name: as reports show it.
        factory: makes a new one from options.
        options: given to the factory.
        spec: its record in the registry, where it has one.
        declared: optional abilities it claims by name, or None where nothing was declared: then what
            it has is what it claims.
        target: a name or "module:Class" by which another process can make it; None for objects.
        aids: see `Aids`.
        tier: up to which it is checked, for what may take the longer the further one goes.
        exhibits: what checks want a reader to see.
    """

    kind: Kind
    name: str
    factory: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    spec: AdapterSpec | ScenarioSpec | None = None
    declared: frozenset[str] | None = None
    target: str | None = None
    aids: Aids = field(default_factory=Aids)
    tier: Tier = "core"
    exhibits: list[Exhibit] = field(default_factory=list)

    def fresh(self) -> Any:
        """A new one, as a new process would have it."""
        return self.factory(**self.options)

    @cached_property
    def adapter(self) -> Any:
        """One that all checks share, so that weights load once."""
        return self.fresh()

    @cached_property
    def claims(self) -> frozenset[str]:
        """Optional abilities it claims: by name, in its spec, and by what it states of itself."""
        from pmg_conformance.abilities import idle, present, stated

        declared = present(self.adapter) if self.declared is None else self.declared
        return (declared - idle(self.kind, self.adapter)) | stated(self.kind, self.adapter)

    @cached_property
    def cold_start(self) -> ColdStart:
        """What it costs to start it in a new process.

        Raises:
            NotRun: no other process can make it.
        """
        from pmg_conformance.cold_start import cold_start

        return cold_start(self)

    @cached_property
    def required_works(self) -> tuple[Work, ...]:
        """What every adapter of its role does, as batches of independent items."""
        from pmg_conformance.work import works_of

        return works_of(self)

    @cached_property
    def works(self) -> tuple[Work, ...]:
        """All that it does, optional abilities included."""
        from pmg_conformance.training import training_works

        trains = "training" in self.claims
        return (*self.required_works, *(training_works(self) if trains else ()))

    @property
    def modality(self) -> str:
        """Of the media it reads or makes; "image" where that says nothing."""
        if self.kind == "generator":
            return str(self.adapter.spec.modality)
        return str(getattr(self.adapter, "modality", "image"))

    def need(self, aid: str, how: str) -> Any:
        """The aid of this name.

        Raises:
            NotRun: it was not given; `how` says how to give it.
        """
        value = getattr(self.aids, aid)
        if value is None or (isinstance(value, Sequence) and not value):
            raise NotRun(how)
        return value

    def show(self, label: str, *media: Media) -> None:
        """Put media into the report, under the check that runs."""
        self.exhibits.extend(Exhibit.of(label, medium) for medium in media)

    def media(self, count: int) -> list[Media]:
        """`count` different media of its modality: new copies, as an adapter may change what it is given."""
        offered = list(self.aids.media) or [medium for _, medium in self.aids.pairs]
        given = [medium for medium in offered if medium.modality == self.modality]
        if len(given) < count:
            given += _patterns(count, self.modality)
        return copy.deepcopy(given[:count])


@functools.cache
def _patterns_of(modality: str) -> Callable[[int], list[Media]] | None:
    from pmg_conformance.samples import PATTERNS

    return PATTERNS.get(modality)


def _patterns(count: int, modality: str) -> list[Media]:
    draw = _patterns_of(modality)
    if draw is None:
        raise NotRun(f"give sample media of the modality {modality!r}")
    return draw(count)
