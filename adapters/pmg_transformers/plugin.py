"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]

_NEEDS = ("torch", "transformers")


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """Language model, encoders, scorers of images and sounds, captioners of both."""
    return (
        AdapterSpec(
            name="transformers",
            role="llm",
            factory="pmg_transformers.language_model:TransformersLanguageModel",
            capabilities=frozenset({"loading", "choice"}),
            extra="image",
            requires=_NEEDS,
            description="Any causal language model: hub id, folder, GGUF file or pmg:NAME",
        ),
        AdapterSpec(
            name="transformers",
            role="text_encoder",
            factory="pmg_transformers.text_encoder:TransformersTextEncoder",
            capabilities=frozenset({"loading"}),
            extra="image",
            requires=_NEEDS,
            description="Text encoders of the CLIP, BERT and T5 families",
        ),
        AdapterSpec(
            name="transformers",
            role="soft_preference",
            factory="pmg_transformers.soft_preference.encoder:TransformersSoftPreferenceEncoder",
            capabilities=frozenset({"loading"}),
            extra="image",
            requires=(*_NEEDS, "peft"),
            description="Multimodal tokens and a P-Tuning v2 prefix on a frozen LLM, as pmg train makes them",
        ),
        AdapterSpec(
            name="clip",
            role="scorer",
            factory="pmg_transformers.clip:ClipScorer",
            modality="image",
            capabilities=frozenset({"loading"}),
            extra="image",
            requires=_NEEDS,
            description="Image-text similarity with a CLIP model of transformers",
        ),
        AdapterSpec(
            name="blip2",
            role="captioner",
            factory="pmg_transformers.blip2:Blip2Captioner",
            modality="image",
            capabilities=frozenset({"loading"}),
            extra="image",
            requires=_NEEDS,
            description="Captions in free text by BLIP-2 or BLIP",
        ),
        AdapterSpec(
            name="clap",
            role="scorer",
            factory="pmg_transformers.clap:ClapScorer",
            modality="audio",
            capabilities=frozenset({"loading"}),
            extra="audio",
            requires=(*_NEEDS, "soxr"),
            description="Sound-text similarity with a CLAP model of transformers",
        ),
        AdapterSpec(
            name="clap-tags",
            role="captioner",
            factory="pmg_transformers.clap_tags:ClapTagCaptioner",
            modality="audio",
            capabilities=frozenset({"loading"}),
            extra="audio",
            requires=(*_NEEDS, "soxr"),
            description="Tags of sounds: the best-matching words of a vocabulary, attribute by attribute",
        ),
    )
