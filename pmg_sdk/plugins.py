"""Who can fill which role: adapters and scenarios, found through entry points (group `pmg_sdk`).

One broken plugin never takes the others down: it is listed by `Registry.problems` with its
error. Two environment variables: `PMG_PLUGINS=0` leaves out everything that does not come with
pmg-sdk itself, `PMG_PLUGINS_STRICT=1` turns the first problem into a `PluginError`.

Nothing here imports an adapter's module before `Registry.create`, so listing costs no torch.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from pmg_sdk import hookspecs
from pmg_sdk.errors import (
    AdapterLoadError,
    AdapterNotFound,
    ConfigError,
    MissingExtra,
    PluginError,
    PMGError,
    ScenarioNotFound,
)
from pmg_sdk.specs import DISTRIBUTION, AdapterSpec, Origin, Problem, ScenarioSpec

if TYPE_CHECKING:
    from pmg_sdk.interfaces import Role
    from pmg_sdk.scenario import Scenario

__all__ = [
    "API_VERSIONS",
    "GROUP",
    "AdapterSpec",
    "Origin",
    "Problem",
    "Registry",
    "ScenarioSpec",
    "registry",
]

GROUP = "pmg_sdk"
API_VERSIONS = frozenset({1})
"""Versions of the adapter contract (`pmg_sdk.interfaces`) that this SDK speaks."""


class Registry:
    """Adapters and scenarios by name.

    `Registry.installed()` reads the environment; `Registry()` is empty, and `register` adds
    plugins by hand, in tests and notebooks for example.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._adapters: dict[tuple[Role, str], tuple[AdapterSpec, Origin]] = {}
        self._scenarios: dict[str, tuple[ScenarioSpec, Origin]] = {}
        self._problems: list[Problem] = []
        self._plugins: dict[str, Origin] = {}

    @classmethod
    def installed(cls) -> Registry:
        """Everything the installed distributions bring, pmg-sdk's own plugins first.

        Raises:
            PluginError: a plugin is broken and `PMG_PLUGINS_STRICT=1` is set.
        """
        found = importlib.metadata.entry_points(group=GROUP)
        return cls.from_entry_points(
            found,
            third_party=os.environ.get("PMG_PLUGINS", "1") != "0",
            strict=os.environ.get("PMG_PLUGINS_STRICT", "0") == "1",
        )

    @classmethod
    def from_entry_points(
        cls,
        entry_points: Iterable[importlib.metadata.EntryPoint],
        *,
        third_party: bool = True,
        strict: bool = False,
    ) -> Registry:
        """As `installed`, from the entry points given."""
        made = cls(strict=strict)
        named = [(_origin(entry_point), entry_point) for entry_point in entry_points]
        # First party first, so nobody can take the place of a name that ships with the SDK.
        named.sort(key=lambda pair: (not pair[0].first_party, str(pair[0]), pair[0].plugin))
        for origin, entry_point in named:
            if not (origin.first_party or third_party):
                continue
            try:
                plugin = entry_point.load()
            except Exception as error:  # a plugin's import may fail in any way, and the rest must work
                made._report(origin, f"cannot be imported ({type(error).__name__}: {error})")
                continue
            made.register(plugin, origin)
        return made

    def register(self, plugin: Any, origin: Origin | str) -> None:
        """Add what `plugin`, a module or object with `@hookimpl` functions, brings.

        What is wrong with it goes to `problems`, or is raised by a strict registry.

        Raises:
            PluginError: strict, and the plugin breaks a rule.
        """
        origin = Origin(origin) if isinstance(origin, str) else origin
        if origin.plugin in self._plugins:
            taken = self._plugins[origin.plugin]
            self._report(origin, f"the plugin name is already taken by {taken}; one must be renamed")
            return
        self._plugins[origin.plugin] = origin
        # A manager for every plugin: a misspelt hook or a raising one is then this plugin's problem alone.
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        try:
            manager.register(plugin, name=origin.plugin)
            manager.check_pending()
            adapters = [spec for batch in manager.hook.pmg_adapters() for spec in batch]
            scenarios = [spec for batch in manager.hook.pmg_scenarios() for spec in batch]
        except pluggy.PluginValidationError as error:
            self._report(origin, f"a hook is misspelt or takes other arguments ({error})")
            return
        except Exception as error:  # a hook is foreign code
            self._report(origin, f"a hook failed ({type(error).__name__}: {error})")
            return
        if not adapters and not scenarios:
            self._report(origin, "brings no adapter and no scenario; is @hookimpl missing?")
        for spec in adapters:
            self._add_adapter(spec, origin)
        for spec in scenarios:
            self._add_scenario(spec, origin)

    def adapters(self, role: Role | None = None) -> tuple[AdapterSpec, ...]:
        """Every adapter, or those of one role, in the order they were found."""
        return tuple(spec for spec, _ in self._adapters.values() if role is None or spec.role == role)

    def scenarios(self) -> tuple[ScenarioSpec, ...]:
        """Every scenario, in the order they were found."""
        return tuple(spec for spec, _ in self._scenarios.values())

    def problems(self) -> tuple[Problem, ...]:
        """What could not be registered, and why."""
        return tuple(self._problems)

    def origin(self, spec: AdapterSpec | ScenarioSpec) -> Origin:
        """The plugin, distribution and version that `spec` came from."""
        if isinstance(spec, AdapterSpec):
            self.adapter(spec.role, spec.name)
            return self._adapters[spec.role, spec.name][1]
        self.scenario_spec(spec.name)
        return self._scenarios[spec.name][1]

    def adapter(self, role: Role, name: str) -> AdapterSpec:
        """The adapter called `name` for `role`.

        Raises:
            AdapterNotFound: there is none; near names are suggested.
        """
        if (role, name) not in self._adapters:
            known = [spec.name for spec in self.adapters(role)]
            raise AdapterNotFound(self._not_found(f"{role} adapter", name, known))
        return self._adapters[role, name][0]

    def missing(self, spec: AdapterSpec) -> tuple[str, ...]:
        """Packages `spec.requires` names that are not installed; empty means it can be used."""
        return tuple(name for name in spec.requires if not _importable(name))

    def create(
        self, role: Role, name: str, options: Mapping[str, Any] | None = None, modality: str | None = None
    ) -> Any:
        """The adapter, constructed with `options`; no weights are loaded yet.

        Args:
            modality: when given, the adapter must be of it.

        Raises:
            AdapterNotFound: no such name.
            MissingExtra: a package it needs is not installed.
            ConfigError: an option is unknown or missing, or the modality is another.
            AdapterLoadError: its class cannot be imported or constructed, or fills another role.
        """
        spec = self.adapter(role, name)
        if modality is not None and spec.modality not in (None, modality):
            raise ConfigError(
                f"{role}: an adapter for {modality} was expected; {name!r} is for {spec.modality}. "
                f"`pmg adapters` lists the others."
            )
        factory = self._factory(spec)
        options = dict(options or {})
        _check_options(f"{role} adapter {name!r}", factory, options)
        try:
            made = factory(**options)
        except PMGError:
            raise
        except Exception as error:
            raise AdapterLoadError(
                f"{role} adapter {name!r} cannot be constructed ({type(error).__name__}: {error})"
            ) from error
        if not isinstance(made, _interface(role)):
            raise AdapterLoadError(
                f"{spec.factory} was expected to be a {_interface(role).__name__}; "
                f"it makes {type(made).__name__}"
            )
        return made

    def scenario_spec(self, name: str) -> ScenarioSpec:
        """The record of the scenario called `name`.

        Raises:
            ScenarioNotFound: there is none; near names are suggested.
        """
        if name not in self._scenarios:
            raise ScenarioNotFound(self._not_found("scenario", name, list(self._scenarios)))
        return self._scenarios[name][0]

    def scenario(self, name: str) -> Scenario:
        """The scenario called `name`.

        Raises:
            ScenarioNotFound: there is none; near names are suggested.
            PluginError: its module cannot be imported or holds something else.
        """
        from pmg_sdk.scenario import Scenario

        spec = self.scenario_spec(name)
        try:
            made = _attribute(spec.factory)
        except Exception as error:
            raise PluginError(
                f"scenario {name!r} ({spec.factory}) cannot be imported ({type(error).__name__}: {error})"
            ) from error
        if not isinstance(made, Scenario):
            raise PluginError(f"{spec.factory} was expected to be a Scenario; it is a {type(made).__name__}")
        return made

    def _factory(self, spec: AdapterSpec) -> Any:
        what = f"{spec.role} adapter {spec.name!r}"
        missing = self.missing(spec)
        if missing:
            raise MissingExtra(f"{what} needs {', '.join(missing)}. {self._how_to_install(spec, missing)}")
        try:
            factory = _attribute(spec.factory)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package and package != spec.factory.partition(".")[0].partition(":")[0]:
                advice = self._how_to_install(spec, (package,))
                raise MissingExtra(f"{what} needs {package}. {advice}") from error
            raise AdapterLoadError(f"{what}: {spec.factory} cannot be imported ({error})") from error
        except Exception as error:
            raise AdapterLoadError(
                f"{what}: {spec.factory} cannot be imported ({type(error).__name__}: {error})"
            ) from error
        if not callable(factory):
            raise AdapterLoadError(
                f"{what}: a class was expected at {spec.factory}; got {type(factory).__name__}"
            )
        return factory

    def _how_to_install(self, spec: AdapterSpec, packages: Iterable[str]) -> str:
        distribution = self.origin(spec).distribution or DISTRIBUTION
        wanted = f'"{distribution}[{spec.extra}]"' if spec.extra else " ".join(packages)
        return f"Run: pip install {wanted}"

    def _add_adapter(self, spec: object, origin: Origin) -> None:
        if not isinstance(spec, AdapterSpec):
            self._report(origin, f"pmg_adapters gives AdapterSpecs; got {type(spec).__name__}")
            return
        what = f"{spec.role} adapter {spec.name!r}"
        taken = self._adapters.get((spec.role, spec.name))
        if self._acceptable(what, spec.api_version, taken, origin):
            self._adapters[spec.role, spec.name] = (spec, origin)

    def _add_scenario(self, spec: object, origin: Origin) -> None:
        if not isinstance(spec, ScenarioSpec):
            self._report(origin, f"pmg_scenarios gives ScenarioSpecs; got {type(spec).__name__}")
            return
        what = f"scenario {spec.name!r}"
        if self._acceptable(what, spec.api_version, self._scenarios.get(spec.name), origin):
            self._scenarios[spec.name] = (spec, origin)

    def _acceptable(
        self, what: str, api_version: int, taken: tuple[object, Origin] | None, origin: Origin
    ) -> bool:
        if taken is not None:
            self._report(origin, f"{what} is already registered by plugin {taken[1].plugin!r} ({taken[1]})")
        elif api_version not in API_VERSIONS:
            speaks = ", ".join(map(str, sorted(API_VERSIONS)))
            self._report(origin, f"{what} is written for api_version {api_version}; this SDK speaks {speaks}")
        else:
            return True
        return False

    def _report(self, origin: Origin, message: str) -> None:
        problem = Problem(origin, message)
        if self._strict:
            raise PluginError(str(problem))
        self._problems.append(problem)

    def _not_found(self, kind: str, name: str, known: list[str]) -> str:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        broken = ", ".join(repr(problem.origin.plugin) for problem in self._problems)
        return (
            f"no {kind} is called {name!r}. "
            + (f"Did you mean {' or '.join(map(repr, near))}? " if near else "")
            + f"Known: {', '.join(map(repr, sorted(known))) or 'none'}."
            + (f" These plugins could not be used, see `pmg adapters`: {broken}." if broken else "")
        )


@functools.cache
def registry() -> Registry:
    """The process-wide registry, read from the environment at its first use."""
    return Registry.installed()


def _origin(entry_point: importlib.metadata.EntryPoint) -> Origin:
    if entry_point.dist is None:
        return Origin(entry_point.name)
    return Origin(entry_point.name, entry_point.dist.name, entry_point.dist.version)


def _attribute(factory: str) -> Any:
    module, _, name = factory.partition(":")
    return getattr(importlib.import_module(module), name)


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _check_options(what: str, factory: Any, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(factory).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for option in options:
        if option not in parameters:
            near = difflib.get_close_matches(option, parameters, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(parameters) or 'none'}."
            raise ConfigError(f"{what} has no option {option!r}; {hint}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in options:
            raise ConfigError(f"{what} needs the option {name!r}")


def _interface(role: Role) -> type:
    from pmg_sdk import interfaces

    roles: dict[Role, type] = {
        "llm": interfaces.LanguageModel,
        "captioner": interfaces.Captioner,
        "text_encoder": interfaces.TextEncoder,
        "soft_preference": interfaces.SoftPreferenceEncoder,
        "generator": interfaces.Generator,
        "scorer": interfaces.Scorer,
    }
    return roles[role]
