"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """The scorer "open-clip" and the captioner "open-clip-tags", both for images."""
    return (
        AdapterSpec(
            name="open-clip",
            role="scorer",
            factory="pmg_open_clip.scorer:OpenClipScorer",
            modality="image",
            capabilities=frozenset({"loading"}),
            extra="image",
            requires=("torch", "open_clip"),
            description="Image-text similarity with any open_clip model: folder, hub id or built-in name",
        ),
        AdapterSpec(
            name="open-clip-tags",
            role="captioner",
            factory="pmg_open_clip.captioner:OpenClipTagCaptioner",
            modality="image",
            capabilities=frozenset({"loading"}),
            extra="image",
            requires=("torch", "open_clip"),
            description="Captions made of the best-matching words of a vocabulary, attribute by attribute",
        ),
    )
