"""The contract: every check of the generator and of its text encoder, one test each."""

from __future__ import annotations

from pmg_conformance.suite import GeneratorConformance, TextEncoderConformance


class TestBouquet(GeneratorConformance):
    target = "pmg_adapter_example.generator:BouquetGenerator"
    options = {"side": 96}  # noqa: RUF012  pytest reads it once
    declared = frozenset({"threads"})


class TestFlowers(TextEncoderConformance):
    target = "pmg_adapter_example.flowers:FlowerEncoder"
    declared = frozenset({"threads"})
