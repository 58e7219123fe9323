"""The roles an adapter can fill.

What crosses these interfaces is numpy, pydantic or plain Python; torch, ONNX Runtime or an
HTTP call stay inside the adapter. Required surface is an ABC, an optional ability is a small
runtime Protocol that the core asks for with `isinstance`.

Adapters are constructed with keyword options only, and must not load weights before their
first use or an explicit `load(observer)` (see `SupportsLoading`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, runtime_checkable

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.media import Media

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = [
    "Captioner",
    "Chat",
    "ChatMessage",
    "ConditioningKind",
    "GenerationRequest",
    "Generator",
    "GeneratorSpec",
    "LanguageModel",
    "Role",
    "Scorer",
    "SoftPreferenceEncoder",
    "SupportsChoice",
    "SupportsLoading",
    "SupportsPreview",
    "SupportsTraining",
    "TextEncoder",
    "TrainingLoss",
    "Unconditional",
]

Role = Literal["llm", "captioner", "text_encoder", "soft_preference", "generator", "scorer"]
ConditioningKind = Literal["sequence", "pooled", "text"]
Unconditional = Literal["empty text", "zeros"]


class ChatMessage(TypedDict):
    """One turn of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


Chat = Sequence[ChatMessage]


class LanguageModel(ABC):
    """LLM_g: text out of text (paper, section 3.2)."""

    @abstractmethod
    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        """Answer every chat, in order, in one batch where the backend can.

        Decoding is greedy or seeded: the same prompts and seed give the same answers.

        Args:
            prompts: chats; each ends with a user turn.
            max_tokens: the longest answer, in the model's tokens.
            seed: used only by backends that sample.

        Raises:
            BackendError: the model failed; OutOfMemory: even a batch of one does not fit.
        """

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` for this model; the default estimates one token per 4 UTF-8 bytes."""
        return (len(text.encode("utf-8", "replace")) + 3) // 4

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        return 2048


class Captioner(ABC):
    """Turns media of one modality into short text (paper, section 3.2.1)."""

    @property
    @abstractmethod
    def modality(self) -> str:
        """Of the media it reads: a class variable, or what the model says where it may be of several."""

    @abstractmethod
    def caption(self, media: Sequence[Media]) -> list[str]:
        """One short description for every medium, in order."""


class TextEncoder(ABC):
    """The text encoder of a generator: keywords to E_k."""

    @property
    @abstractmethod
    def space(self) -> str:
        """Name of the space the embeddings live in; encoders of equal space are interchangeable."""

    @property
    @abstractmethod
    def max_tokens(self) -> int:
        """Longest text, in tokens, special tokens included."""

    @abstractmethod
    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order; the empty text is allowed.

        Returns:
            Conditionings without padding, at most `max_tokens` tokens each.
        """


class SoftPreferenceEncoder(ABC):
    """LLM_f with multimodal tokens and a trained prefix: E_m (paper, section 3.3.1)."""

    @property
    @abstractmethod
    def space(self) -> str:
        """The text space E_m was aligned with."""

    @property
    def scenario(self) -> str | None:
        """Name of the scenario whose prompts it was trained on; None fits all."""
        return None

    @abstractmethod
    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        """E_m for every behaviour prompt, in order: `embeds` of shape (L, width).

        For generators that take one vector: 0 tokens, and `pooled` of shape (width,).
        """


@dataclass(frozen=True)
class GeneratorSpec:
    """What a generator is and can do.

    Attributes:
        modality: of the media it makes.
        conditioning: "sequence" (tokens are concatenated), "pooled" (one vector) or "text".
        space: of the conditionings it takes; None for "text".
        negative: whether a negative conditioning is honoured.
        unconditional: what a request without a negative is guided away from, as the model was trained:
            the encoding of the empty text, or zeros in its place (SDXL).
        steps: the number of denoising steps used when a request names none.
        guidance: the guidance scale used when a request names none.
        size: (width, height) in pixels, or None where it does not apply.
    """

    modality: str
    conditioning: ConditioningKind
    space: str | None = None
    negative: bool = True
    unconditional: Unconditional = "empty text"
    steps: int = 20
    guidance: float = 5.0
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class GenerationRequest:
    """One candidate to make.

    Attributes:
        conditioning: what to show; None for generators of kind "text".
        negative: what to stay away from; None means what the spec says under `unconditional`.
        text: the keywords as text, for kinds or streams that only text can fill.
        negative_text: likewise for what to stay away from.
        seed: decides the noise; the same request gives the same medium, alone or in a batch.
        steps, guidance: None takes the spec's.
    """

    seed: int
    conditioning: Conditioning | None = None
    negative: Conditioning | None = None
    text: str = ""
    negative_text: str = ""
    steps: int | None = None
    guidance: float | None = None


class Generator(ABC):
    """M = Generator(w_p * E^p, w_t * E^t) (paper, section 3.4)."""

    @property
    @abstractmethod
    def spec(self) -> GeneratorSpec:
        """What this generator is; reading it may load configuration files but no weights."""

    @property
    def text_encoder(self) -> TextEncoder | None:
        """The encoder that comes with the generator; None for kind "text"."""
        return None

    @abstractmethod
    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        """Make one medium for every request, in order, batched where the backend can.

        The observer hears of every denoising step and is asked at each whether to stop.

        Raises:
            SpaceMismatch: a conditioning of another space than the spec's.
            OutOfMemory: a batch of one does not fit.
            Cancelled: the observer asked to stop.
            GenerationError: the model produced values that are not numbers.
        """


class Scorer(ABC):
    """e_M, e_p and e_t of a pre-trained dual encoder such as CLIP or CLAP (paper, section 3.4).

    The core computes the cosines; rows need not be normalised.
    """

    @property
    @abstractmethod
    def modality(self) -> str:
        """Of the media it judges: a class variable, or what the model says where it may be of several."""

    @abstractmethod
    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Float32, shape (len(texts), width); longer texts than the model takes are cut, never refused."""

    @abstractmethod
    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32, shape (len(media), width)."""


@runtime_checkable
class SupportsLoading(Protocol):
    """Can load its weights ahead of the first use, telling how far it is."""

    def load(self, observer: Observer | None = None) -> None:
        """Load everything needed; calling it twice costs nothing."""


@runtime_checkable
class SupportsPreview(Protocol):
    """Can show what a batch looks like before it is done."""

    def preview(self) -> list[Media]:
        """The current estimate of every candidate of the running batch."""


@dataclass(frozen=True, eq=False)
class TrainingLoss:
    """How badly conditionings explain media.

    Attributes:
        values: float32, shape (B,), one loss each, >= 0.
        gradients: d values[i] / d conditioning i for every i, in the conditioning's own shape and space:
            `embeds` of shape (tokens, width), `pooled` where the conditioning has one. Empty where
            none were asked for.
    """

    values: NDArray[np.float32]
    gradients: tuple[Conditioning, ...] = ()


@runtime_checkable
class SupportsTraining(Protocol):
    """A generator that can say which way conditionings would explain media better (section 3.3.2).

    It is frozen: what learns stands before it, and needs d loss / d E alone. So numpy crosses here as
    everywhere, and generator and learner need not share a framework.
    """

    def training_targets(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        """What `training_loss` compares with, one array a medium: made once, kept, used at every step.

        Latents of an autoencoder, for example; all of one shape.
        """

    def training_loss(
        self,
        conditionings: Sequence[Conditioning],
        targets: Sequence[NDArray[np.float32]],
        seeds: Sequence[int],
        *,
        draws: int = 1,
        gradients: bool = True,
    ) -> TrainingLoss:
        """The generator's own training loss of every conditioning and target, without guidance.

        Entry i is a function of conditioning, target and seed i alone, whatever else is in the batch.

        Args:
            seeds: decide the noises and noise levels, >= 0.
            draws: noises an entry; its loss is their mean.

        Raises:
            SpaceMismatch: a conditioning of another space than the spec's.
            OutOfMemory: one entry does not fit. GenerationError: the loss is not a number.
        """


@runtime_checkable
class SupportsChoice(Protocol):
    """A language model that can rate given answers instead of writing its own."""

    def choose(self, prompts: Sequence[Chat], options: Sequence[str]) -> list[list[float]]:
        """log P(option | prompt) for every option of every prompt, up to a constant of the prompt."""
