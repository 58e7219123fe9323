"""Behaviour is private: nothing of it reaches a log, a screen or a warning."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.samples import SECRET
from pmg_conformance.subject import Subject


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))  # with the traceback, where there is one


def _ends() -> list[logging.Logger]:
    """The root, and loggers that keep what they hear from it, as those of transformers do."""
    known = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    return [logging.root, *(logger for logger in known if not logger.propagate)]


@check("PMG-ANY-030", "any", "core", advice="Log counts and names of stages, never texts.")
def nothing_of_the_input_is_logged(subject: Subject) -> None:
    """Nothing of the text it is given appears in logs, output or warnings, at any level.

    Behaviour is written by users and belongs to them; logs are kept, copied and read by others.
    """
    for work in subject.works:
        if not work.secrets:
            continue
        heard, out = _Heard(), io.StringIO()
        loggers = _ends()
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.addHandler(heard)
            logger.setLevel(logging.DEBUG)
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(out),
                warnings.catch_warnings(record=True) as warned,
            ):
                warnings.simplefilter("always")
                for secret in work.secrets:
                    work.do(subject.adapter, [secret])
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.removeHandler(heard)
                logger.setLevel(level)
        said = {
            "a log": "\n".join(heard.lines),
            "the output": out.getvalue(),
            "a warning": "\n".join(str(warning.message) for warning in warned),
        }
        told = [place for place, text in said.items() if SECRET in text.lower()]
        expect(not told, f"{work.name} to keep the text to itself", f"it in {' and in '.join(told)}")
