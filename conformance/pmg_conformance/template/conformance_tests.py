"""The contract: one test for every check. `pytest -v` names them; `pmg conformance checks` explains them."""

from __future__ import annotations

from pmg_conformance.suite import GeneratorConformance


class TestMyAdapter(GeneratorConformance):
    target = "my_adapter.generator:MyAdapter"
