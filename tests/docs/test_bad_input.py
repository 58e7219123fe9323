"""Every row of docs/bad-input.md names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_kind_of_bad_input_names_a_test_that_exists(root: Path) -> None:
    rows = (root / "docs" / "bad-input.md").read_text(encoding="utf-8").splitlines()
    named = [re.search(r"`(tests/[\w/]+\.py)::(\w+)`", row) for row in rows if row.startswith("| ")][1:]
    assert len(named) > 20
    for found in named:
        assert found is not None
        path, test = found.groups()
        assert f"def {test}(" in (root / path).read_text(encoding="utf-8"), found.group()
