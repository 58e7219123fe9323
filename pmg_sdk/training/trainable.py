"""Which generators soft preference embeddings can be trained with."""

from __future__ import annotations

from pmg_sdk.errors import CapabilityError
from pmg_sdk.interfaces import Generator, SupportsTraining

__all__ = ["trainable"]


def trainable(generator: Generator) -> SupportsTraining:
    """The generator as one that gives its loss.

    Raises:
        CapabilityError: it does not, or takes only text: soft preference embeddings are none.
    """
    if generator.spec.conditioning == "text":
        raise CapabilityError(
            "a generator that takes embeddings was expected, tokens or one vector, as soft preference "
            f"embeddings have no words; {type(generator).__name__} takes only text"
        )
    if not isinstance(generator, SupportsTraining):
        raise CapabilityError(
            f"a generator that supports training was expected (capability 'training'); "
            f"{type(generator).__name__} does not. `pmg adapters` lists those that do."
        )
    return generator
