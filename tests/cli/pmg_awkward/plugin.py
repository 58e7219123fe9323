"""What it brings."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """A generator that takes for ever, and one that cannot run here."""
    return (
        AdapterSpec("slow", "generator", "pmg_awkward.slow:SlowGenerator", modality="image"),
        AdapterSpec(
            "absent",
            "generator",
            "pmg_awkward.absent:Absent",
            modality="image",
            requires=("a_package_nobody_has",),
        ),
    )
