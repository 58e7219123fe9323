"""What a plugin hands to the registry, and what the registry remembers of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pmg_sdk.errors import PluginError

if TYPE_CHECKING:
    from pmg_sdk.interfaces import Role

__all__ = ["DISTRIBUTION", "AdapterSpec", "Origin", "Problem", "ScenarioSpec"]

DISTRIBUTION = "pmg-sdk"

_NAME = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")
_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True)
class AdapterSpec:
    """What a plugin says about one adapter; cheap to make, imports nothing.

    Attributes:
        name: unique within the role; lower case, digits, `-`.
        role: which interface of `pmg_sdk.interfaces` it implements.
        factory: "package.module:Class"; called with the adapter's options as keywords.
        modality: of the media it reads or makes, None where the role has none.
        capabilities: names of optional abilities it claims.
        extra: the extra of its distribution that installs what it needs.
        requires: importable packages it cannot work without; looked up, never imported.
        description: one line for `pmg adapters`.
        api_version: of the contract it was written against.
    """

    name: str
    role: Role
    factory: str
    modality: str | None = None
    capabilities: frozenset[str] = frozenset()
    extra: str | None = None
    requires: tuple[str, ...] = ()
    description: str = ""
    api_version: int = 1

    def __post_init__(self) -> None:
        from pmg_sdk.interfaces import Role

        _check_record("adapter", self.name, self.factory, self.api_version)
        if self.role not in get_args(Role):
            raise PluginError(
                f"adapter {self.name!r}: a role is one of {', '.join(get_args(Role))}; got {self.role!r}"
            )


@dataclass(frozen=True)
class ScenarioSpec:
    """What a plugin says about one scenario.

    Attributes:
        name: unique; lower case, digits, `-` or `_`.
        factory: "package.module:ATTRIBUTE", a `Scenario`.
    """

    name: str
    factory: str
    description: str = ""
    api_version: int = 1

    def __post_init__(self) -> None:
        _check_record("scenario", self.name, self.factory, self.api_version)


@dataclass(frozen=True)
class Origin:
    """Where a plugin comes from: the entry point's name, its distribution and that one's version."""

    plugin: str
    distribution: str | None = None
    version: str | None = None

    @property
    def first_party(self) -> bool:
        """Whether it ships with pmg-sdk."""
        return _normalised(self.distribution) == DISTRIBUTION

    def __str__(self) -> str:
        if self.distribution is None:
            return self.plugin
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Problem:
    """A plugin, or one record of it, that could not be used, and why."""

    origin: Origin
    message: str

    def __str__(self) -> str:
        return f"plugin {self.origin.plugin!r} ({self.origin}): {self.message}"


def _normalised(distribution: str | None) -> str:
    return re.sub(r"[-_.]+", "-", distribution or "").lower()


def _check_record(kind: str, name: str, factory: str, api_version: int) -> None:
    if not _NAME.fullmatch(name):
        raise PluginError(f"{kind} names are lower case, digits and - or _; got {name!r}")
    if not _FACTORY.fullmatch(factory):
        raise PluginError(f"{kind} {name!r}: a factory looks like package.module:Name; got {factory!r}")
    if not isinstance(api_version, int):
        raise PluginError(f"{kind} {name!r}: api_version is a whole number; got {api_version!r}")
