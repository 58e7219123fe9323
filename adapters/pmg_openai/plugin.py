"""What this package brings to the registry."""

from __future__ import annotations

from collections.abc import Iterable

from pmg_sdk.hookspecs import hookimpl
from pmg_sdk.plugins import AdapterSpec

__all__ = ["pmg_adapters"]


@hookimpl
def pmg_adapters() -> Iterable[AdapterSpec]:
    """The LLM "openai"."""
    return (
        AdapterSpec(
            name="openai",
            role="llm",
            factory="pmg_openai.language_model:OpenAILanguageModel",
            extra="openai",
            requires=("httpx",),
            description="A language model behind any OpenAI-compatible server: vLLM, llama.cpp, hosted ones",
        ),
    )
