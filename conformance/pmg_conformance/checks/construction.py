"""How an adapter is made, and whether it is what it claims to be."""

from __future__ import annotations

import sys

from pmg_conformance.abilities import ABILITIES, PROMISES, present
from pmg_conformance.check import check
from pmg_conformance.cold_start import HEAVY
from pmg_conformance.failure import ConformanceFailure, NotRun, expect
from pmg_conformance.process import run_python
from pmg_conformance.subject import Subject
from pmg_sdk.errors import ConfigError


@check(
    "PMG-ANY-001", "any", "smoke", advice="Subclass the ABC of the role and implement its abstract methods."
)
def it_is_what_its_role_asks_for(subject: Subject) -> None:
    """It can be made from its options and implements the interface of its role.

    The registry refuses anything else, so such an adapter can never be used.
    """
    from pmg_sdk import interfaces

    role = {
        "llm": interfaces.LanguageModel,
        "captioner": interfaces.Captioner,
        "text_encoder": interfaces.TextEncoder,
        "soft_preference": interfaces.SoftPreferenceEncoder,
        "generator": interfaces.Generator,
        "scorer": interfaces.Scorer,
    }[subject.kind]
    made = subject.adapter
    expect(isinstance(made, role), f"a {role.__name__}", type(made).__name__)


@check(
    "PMG-ANY-002",
    "any",
    "core",
    advice="Move imports of frameworks into the methods that need them.",
)
def importing_it_loads_no_framework(subject: Subject) -> None:
    """Importing the module of its class imports no framework.

    `pmg adapters` and `pmg --help` import plugins; seconds of imports there are felt by everybody, also by
    those who use another adapter.
    """
    module = subject.factory.__module__
    if subject.target is None:
        raise NotRun("name the adapter by its registered name or as module:Class")
    loaded = run_python(f"import sys, {module}\nanswer([n for n in {HEAVY!r} if n in sys.modules])")
    expect(not loaded, f"an import of {module} without frameworks", f"{', '.join(loaded)} imported")


@check(
    "PMG-ANY-003", "any", "smoke", advice="Implement the ability's method, or take its name out of the spec."
)
def claimed_abilities_are_there(subject: Subject) -> None:
    """Every optional ability that is claimed is there.

    The SDK and its users choose adapters by these claims.
    """
    known = {*ABILITIES, *PROMISES}
    declared = subject.declared or frozenset()
    unknown = sorted(declared - known)
    expect(not unknown, f"abilities out of {sorted(known)}", unknown, "a misspelt name in capabilities")
    absent = sorted(name for name in declared & set(ABILITIES) if name not in present(subject.adapter))
    expect(
        not absent,
        f"methods of {', '.join(ABILITIES[name].__name__ for name in absent)}",
        "none",
        "the method is missing or misspelt",
    )


@check("PMG-ANY-004", "any", "smoke", advice="Add the ability's name to `capabilities` of the AdapterSpec.")
def abilities_it_has_are_claimed(subject: Subject) -> None:
    """Every optional ability it has is claimed.

    What is not declared is not found by who looks for it, and not checked.
    """
    if subject.declared is None:
        raise NotRun("nothing was declared; register the adapter, or pass declared=")
    silent = sorted(present(subject.adapter) - subject.declared)
    expect(not silent, "every ability declared", f"{', '.join(silent)} not in capabilities")


@check("PMG-ANY-005", "any", "smoke", advice="Name every option in the signature; take no **options.")
def unknown_options_are_refused(subject: Subject) -> None:
    """An option it does not know is refused when it is made.

    A misspelt option that is swallowed runs with a default, and nobody notices.
    """
    try:
        subject.factory(**subject.options, no_such_option_of_anything=1)
    except (TypeError, ConfigError):
        return
    raise ConformanceFailure("a TypeError or ConfigError for an unknown option", "an adapter")


@check("PMG-ANY-006", "any", "smoke", requires="loading", advice="Keep what is loaded, and return at once.")
def loading_twice_changes_nothing(subject: Subject) -> None:
    """Loading twice costs nothing and changes nothing.

    The pipeline asks every adapter to load before each use.
    """
    work, made = subject.required_works[0], subject.fresh()
    made.load()
    before = set(sys.modules)
    (first,) = work.do(made, work.items[:1])
    made.load()
    (second,) = work.do(made, work.items[:1])
    expect(work.same(first, second), "the same answer after a second load", "another", "load starts anew")
    new = [name for name in set(sys.modules) - before if name in HEAVY]
    expect(not new, "everything loaded by load()", f"{', '.join(new)} imported later")
