"""Adapters with known faults, importable by name as an author's own would be, and the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Pmg, plugins, pmg

__all__ = ["Pmg", "authored", "plugins", "pmg"]

AUTHORED = '''
"""Text encoders, one as it should be and some with a fault."""

from pmg_conformance.reference import ReferenceTextEncoder


class Sound(ReferenceTextEncoder):
    pass


class RefusesNothing(ReferenceTextEncoder):
    """Fails for the empty text, with a message that no terminal, file or browser should be given."""

    def __init__(self, *, note: str = "", tokens: int = 77) -> None:
        super().__init__(max_tokens=tokens)

    def encode(self, texts):
        if "" in texts:
            raise ValueError("<script>alert(1)</script> \\x1b[31m & \\ud800 <img src='http://a.example/x'>")
        return super().encode(texts)


class NeedsKey(ReferenceTextEncoder):
    def __init__(self) -> None:
        raise RuntimeError("no key")
'''


@pytest.fixture
def authored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module with `Sound`, `RefusesNothing` and `NeedsKey`, also for other processes."""
    (tmp_path / "authored").mkdir()
    (tmp_path / "authored" / "my_encoders.py").write_text(AUTHORED, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "authored"))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path / "authored"), *(path for path in sys.path if path)])
    )
    yield "my_encoders"
    sys.modules.pop("my_encoders", None)
