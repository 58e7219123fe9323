"""The entry point of this adapter package."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """The generator of this package."""
    return (
        AdapterSpec(
            name="stable-diffusion",
            role="generator",
            factory="pmg_stable_diffusion.generator:StableDiffusionGenerator",
            modality="image",
            capabilities=frozenset({"loading", "preview", "training"}),
            extra="image",
            requires=("torch", "diffusers", "transformers"),
            description="Stable Diffusion 1.x, 2.x, XL or the embedded emoji model",
        ),
    )
