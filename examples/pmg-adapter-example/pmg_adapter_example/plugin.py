"""What this package brings. Read whenever adapters are listed, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk import AdapterSpec, hookimpl

__all__ = ["pmg_adapters"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """A generator and the text encoder that comes with it."""
    return (
        AdapterSpec(
            name="bouquet",
            role="generator",
            factory="pmg_adapter_example.generator:BouquetGenerator",
            modality="image",
            capabilities=frozenset({"threads"}),
            description="Draws a bouquet, a flower for every keyword; no weights",
        ),
        AdapterSpec(
            name="bouquet",
            role="text_encoder",
            factory="pmg_adapter_example.flowers:FlowerEncoder",
            capabilities=frozenset({"threads"}),
            description="Words as flowers: a colour and four petal waves",
        ),
    )
