"""Does an adapter honour the contract of pmg-sdk, and if not, what is to be mended?

    from pmg_conformance import check_adapter

    report = check_adapter("my_package.generator:MyGenerator", tier="smoke")
    print(report.summary)

One engine, three doors: this function, pytest (`pmg_conformance.suite`), and `pmg conformance`.
Needs nothing but pmg-sdk's core.
"""

from __future__ import annotations

import pmg_conformance.checks  # noqa: F401  first: later, the folder would take the name of the function
from pmg_conformance.check import Check, Tier, check, checks
from pmg_conformance.engine import check_adapter
from pmg_conformance.failure import ConformanceFailure, NotRun, expect
from pmg_conformance.report import Entry, Outcome, Report
from pmg_conformance.spec import SPEC_VERSION
from pmg_conformance.subject import Aids, Subject
from pmg_conformance.waivers import Waiver, load_waivers

__all__ = [
    "SPEC_VERSION",
    "Aids",
    "Check",
    "ConformanceFailure",
    "Entry",
    "NotRun",
    "Outcome",
    "Report",
    "Subject",
    "Tier",
    "Waiver",
    "check",
    "check_adapter",
    "checks",
    "expect",
    "load_waivers",
]
