"""From what somebody types to what is tested: a registered name, "module:Class", or an object."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pmg_conformance.check import Kind
from pmg_conformance.subject import Aids, Subject
from pmg_sdk import interfaces
from pmg_sdk.errors import ConfigError, InputError
from pmg_sdk.plugins import Registry, registry
from pmg_sdk.scenario import Scenario

__all__ = ["find"]

_INTERFACES: dict[Kind, type] = {
    "llm": interfaces.LanguageModel,
    "captioner": interfaces.Captioner,
    "text_encoder": interfaces.TextEncoder,
    "soft_preference": interfaces.SoftPreferenceEncoder,
    "generator": interfaces.Generator,
    "scorer": interfaces.Scorer,
}


def find(
    target: str | Callable[..., Any] | Any,
    *,
    kind: Kind | None = None,
    options: Mapping[str, Any] | None = None,
    declared: frozenset[str] | None = None,
    aids: Aids | None = None,
    plugins: Registry | None = None,
) -> Subject:
    """The subject that `target` names.

    Args:
        target: a registered name, "module:Class", a class or function that makes adapters, an adapter,
            or a `Scenario`.
        kind: its role; needed where a name is registered for several.
        options: for the factory.
        declared: claimed abilities, where no plugin's spec says them.
        aids: what some checks need besides.
        plugins: where to look names up; the installed ones by default.

    Raises:
        InputError: the target cannot be found, or a name fits several roles.
        AdapterError: it is registered, and cannot be imported.
    """
    aids, options = aids or Aids(), dict(options or {})
    if isinstance(target, Scenario):
        return Subject("scenario", target.name, lambda: target, aids=aids)
    if isinstance(target, str) and ":" not in target:
        return _registered(target, kind, options, aids, plugins)
    if isinstance(target, str):
        made = _imported(target)
        if isinstance(made, Scenario):
            return Subject("scenario", target, lambda: made, target=target, aids=aids)
        return Subject(_kind_of(made, kind), target, made, options, None, declared, target, aids)
    if isinstance(target, tuple(_INTERFACES.values())):
        if options:
            raise ConfigError("options make an adapter; this one is made already")
        made = target
        kind = _kind_of(type(target), kind)
        return Subject(kind, type(target).__name__, lambda: made, declared=declared, aids=aids)
    if not callable(target):
        raise InputError(
            "a registered name, module:Class, a class, a function or an adapter was expected; "
            f"got {type(target).__name__}"
        )
    name = getattr(target, "__qualname__", repr(target))
    return Subject(_kind_of(target, kind), name, target, options, None, declared, None, aids)


def _registered(
    name: str, kind: Kind | None, options: dict[str, Any], aids: Aids, given: Registry | None
) -> Subject:
    plugins = given or registry()
    fitting: list[Kind] = [
        role
        for role in get_args(interfaces.Role)
        if kind in (None, role) and any(spec.name == name for spec in plugins.adapters(role))
    ]
    if kind in (None, "scenario") and any(spec.name == name for spec in plugins.scenarios()):
        fitting.append("scenario")
    if len(fitting) > 1:
        raise InputError(f"{name!r} is registered as {' and '.join(fitting)}; say which with --role")
    if not fitting:
        known = sorted(
            {*(each.name for each in plugins.adapters()), *(each.name for each in plugins.scenarios())}
        )
        as_what = "" if kind is None else f" as {kind}"
        raise InputError(
            f"nothing called {name!r} is registered{as_what}. Known: {', '.join(known)}. "
            "An adapter that is not registered is named as module:Class."
        )
    role = fitting[0]
    if role == "scenario":
        record = plugins.scenario_spec(name)
        target = name if given is None else record.factory
        return Subject(role, name, lambda: plugins.scenario(name), spec=record, target=target, aids=aids)
    spec = plugins.adapter(role, name)  # type: ignore[arg-type]  # a role, as it is no scenario

    def make(**given: Any) -> Any:
        return plugins.create(role, name, given)  # type: ignore[arg-type]

    make.__module__ = spec.factory.partition(":")[0]
    # Another process knows the installed plugins, and none that were registered by hand.
    target = name if given is None else spec.factory
    return Subject(role, name, make, options, spec, spec.capabilities, target, aids)


def _imported(target: str) -> Any:
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # a module is foreign code, and may do anything
        raise InputError(f"{target!r} cannot be imported ({type(error).__name__}: {error})") from error


def _kind_of(made: Any, kind: Kind | None) -> Kind:
    """The role given, or that of the interface a class implements.

    Raises:
        InputError: neither says, or a class implements several.
    """
    if kind is not None:
        return kind
    implemented = [
        role
        for role, interface in _INTERFACES.items()
        if isinstance(made, type) and issubclass(made, interface)
    ]
    if len(implemented) == 1:
        return implemented[0]
    if implemented:
        raise InputError(f"this is {' and '.join(implemented)}; say which with --role (or kind=)")
    raise InputError("the role of this cannot be told; say it with --role (or kind=)")
