"""The command that runs one check alone, for whoever mends what it found."""

from __future__ import annotations

import dataclasses
import json
import shlex
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pmg_conformance.subject import Aids

if TYPE_CHECKING:
    from pmg_conformance.check import Check
    from pmg_conformance.subject import Subject

__all__ = ["repro"]


def repro(check: Check, subject: Subject) -> str:
    """A line for the shell; or for Python, where no command can make the subject or give it its aids."""
    aids = dataclasses.replace(subject.aids, words=())
    claims = subject.declared if subject.spec is None else None
    if subject.target is None or claims is not None or (aids != Aids() and not subject.aids.words):
        stated = [subject.name if subject.target is None else repr(subject.target), f"kind={subject.kind!r}"]
        stated += [f"options={dict(subject.options)!r}"] if subject.options else []
        stated += [f"declared=frozenset({sorted(claims)!r})"] if claims is not None else []
        stated += ["aids=..."] if aids != Aids() else []
        return f"check_adapter({', '.join([*stated, f'only=[{check.id!r}]'])})"
    words = ["pmg", "conformance", "repro", check.id, subject.target, "--role", subject.kind]
    for name, value in subject.options.items():
        if value is not None:  # which TOML cannot say, and which mostly is the default
            words += ["--option", f"{name}={_stated(name, value)}"]
    return shlex.join([*words, *subject.aids.words])


def _stated(name: str, value: Any) -> str:
    """The value as the command line reads it back: TOML, or text that is not TOML."""
    if not isinstance(value, str):
        return _toml(value)
    try:
        tomllib.loads(f"{name} = {value}")
    except tomllib.TOMLDecodeError:
        return value
    return _toml(value)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_toml(str(key))} = {_toml(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)
