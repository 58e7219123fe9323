"""What it costs to import and to start: generous limits, relative to what the machine needs for the rest."""

from __future__ import annotations

from pmg_conformance.check import TIERS, check
from pmg_conformance.cold_start import cold_start, measured_import, model_bytes, reference_growth
from pmg_conformance.failure import NotRun, expect
from pmg_conformance.subject import Subject

IMPORT_SECONDS = 1.0
IMPORT_RATIO = 5.0
"""An import takes at most a second, or on a slow machine five times that of the interfaces."""

BUDGETS = dict(zip(TIERS, (60.0, 120.0, 600.0), strict=True))
"""Seconds from nothing to the first answer, where no other budget is stated."""

MEMORY = 128 * 2**20
FRAMEWORK_MEMORY = 3 * 2**30
"""Bytes that it may take besides its model: of its own, and where it loads a framework."""

MODEL_RATIO = 4
"""As often may the model's files be in memory: half precision made whole, and old and new at once."""


@check("PMG-ANY-041", "any", "core", advice="Move imports and tables into the method that needs them.")
def importing_it_is_quick(subject: Subject) -> None:
    """Importing the module of its class takes less than a second.

    `pmg adapters` and `pmg --help` import plugins. The time is the processor's, so that a busy machine does
    not matter, and a slow machine is allowed five times what the interfaces of the SDK take on it.
    """
    module = subject.factory.__module__
    if subject.target is None:
        raise NotRun("name the adapter by its registered name or as module:Class")
    for _ in range(2):  # a first time may find nothing compiled
        seconds, interfaces = measured_import(module)
        limit = max(IMPORT_SECONDS, IMPORT_RATIO * interfaces)
        if seconds <= limit:
            return
    expect(
        False,
        f"an import of {module} within {limit:.2g} s of the processor",
        f"{seconds:.2g} s, with {interfaces:.2g} s of them for pmg_sdk.interfaces",
        "work at the top of a module: imports, tables, regular expressions",
    )


@check("PMG-ANY-042", "any", "core", advice="Load less, or state what is needed with --budget-seconds.")
def the_first_answer_comes_within_its_budget(subject: Subject) -> None:
    """In a new process, the first answer comes within the budget.

    Command lines and restarted services wait for it.
    """
    budget = subject.aids.budget_seconds or BUDGETS[subject.tier]
    seconds = subject.cold_start.seconds
    if seconds > budget:  # once more, as the first time may have found a cold disk
        seconds = cold_start(subject).seconds
    expect(
        seconds <= budget,
        f"a first answer within {budget:g} s",
        f"{seconds:.2g} s",
        "downloads at every start, or weights converted while loading",
    )


@check(
    "PMG-ANY-043",
    "any",
    "core",
    advice="Map weights from the file; free one copy before the next.",
)
def memory_is_that_of_its_model(subject: Subject) -> None:
    """Loading and a first batch take memory in proportion to the files of its model.

    Who sizes a machine looks at the files. What the reference adapter of the role takes is free, and so is
    what frameworks need.
    """
    started, reference = subject.cold_start, reference_growth(subject.kind)
    if started.grown is None or reference is None:
        raise NotRun("memory is read on Linux only")
    free = reference + (FRAMEWORK_MEMORY if started.framework else MEMORY)
    if started.grown <= free:
        return  # however large its model is
    files = model_bytes(subject.options)
    if files is None:
        raise NotRun(
            f"it takes {started.grown >> 20} MiB; name its model as a local folder (--option) to compare"
        )
    expect(
        started.grown <= free + MODEL_RATIO * files,
        f"at most {(free + MODEL_RATIO * files) >> 20} MiB for a model of {files / 2**20:.1f} MiB",
        f"{started.grown >> 20} MiB",
        "several copies of the weights at once",
    )
