"""[E_prompt, E_m] = LLM_f(t, prompt, m), and the map of E_m into a text space (paper, section 3.3.1)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.tokenizable import well_formed
from pmg_transformers.soft_preference.soft_form import one_vector
from pmg_transformers.token_batch import PaddedRows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from pmg_transformers.shared_model import SharedModel

__all__ = ["Shape", "SoftTokens", "prompt_ids", "prompt_rows"]

MAX_CONTEXT = 2048
"""Several times the longest prompt that the default limits on a behaviour allow; attention is quadratic."""


@dataclass(frozen=True)
class Shape:
    """What is trained.

    Attributes:
        tokens: L, multimodal tokens appended to the prompt, and so tokens of E_m; >= 1.
        prefix: S, trained keys and values before the prompt in every layer's attention (P-Tuning v2); 0
            trains none.
        width: of the text space.
        length: of E_m, where it is one vector and not L tokens, see `soft_form`.
    """

    tokens: int
    prefix: int
    width: int
    length: float | None = None


class SoftTokens(nn.Module):
    """Multimodal tokens m, prefix t and linear map around a frozen LLM that others may use meanwhile.

    The LLM's own modules are not changed: PEFT hands the prefix to its forward as cached keys and values, so
    whoever calls the LLM itself gets the bare model's answers.

    Args:
        llm: a decoder-only model; its parameters stay frozen.
        seed: of the first values.
    """

    def __init__(self, llm: PreTrainedModel, shape: Shape, *, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        draw = torch.Generator().manual_seed(seed)
        decoder: Any = llm.base_model
        embedding: Any = llm.get_input_embeddings()
        words = embedding.weight.detach().float().cpu()
        mean, spread = words.mean(0), words.std(0)
        noise = torch.randn(shape.tokens, len(mean), generator=draw)
        self.m = nn.Parameter(mean + spread * noise)
        self.map = nn.Linear(len(mean), shape.width)
        with torch.no_grad():
            self.map.weight.copy_(torch.randn(self.map.weight.shape, generator=draw) * len(mean) ** -0.5)
            self.map.bias.zero_()
        wrapped = _with_prefix(decoder, shape.prefix, draw) if shape.prefix else decoder
        self._decoder: Any = wrapped.eval()
        self._words = (embedding,)  # in a tuple: it is the LLM's, no module of ours

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """E_m, float32, shape (rows, L, width); of a shape with a length (rows, width).

        Args:
            ids: int64, shape (rows, tokens): prompts, padded on the left.
            mask: int64, likewise; 0 marks padding.
        """
        E_m: Tensor = self.map(self.hidden(ids, mask))
        length = self.shape.length
        return E_m if length is None else one_vector(E_m, length)

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The LLM's last hidden states at m, float32, shape (rows, L, the LLM's width)."""
        rows, L = len(ids), self.shape.tokens
        prompt = self._words[0](ids)
        m = self.m.to(prompt.dtype).expand(rows, -1, -1)
        mask = torch.cat([mask, mask.new_ones(rows, L)], dim=1)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)  # padding shifts no token
        states = self._decoder(
            inputs_embeds=torch.cat([prompt, m], dim=1),
            attention_mask=mask,
            position_ids=positions,
            use_cache=bool(self.shape.prefix),
        ).last_hidden_state
        last: Tensor = states[:, -L:].float()
        return last

    def train(self, mode: bool = True) -> SoftTokens:
        """Nothing here behaves otherwise in training; the LLM stays in evaluation mode."""
        return self

    @property
    def prefix(self) -> nn.Parameter | None:
        """t: shape (S, layers * 2 * key and value heads * head width), or None where S is 0."""
        if not self.shape.prefix:
            return None
        t: nn.Parameter = self._decoder.prompt_encoder["default"].embedding.weight
        return t

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Everything that learns, by the name it is saved under."""
        yield "m", self.m
        if (prefix := self.prefix) is not None:
            yield "prefix", prefix
        for name, parameter in self.map.named_parameters():
            yield f"map.{name}", parameter

    def values(self) -> dict[str, Tensor]:
        """What `trained` holds, on the CPU, float32."""
        return {name: value.detach().float().cpu().clone() for name, value in self.trained()}

    @torch.no_grad()
    def set_values(self, values: Mapping[str, Tensor]) -> None:
        """Overwrite everything that learns.

        Raises:
            ModelFolderError: a value is missing or of another shape.
        """
        for name, parameter in self.trained():
            value = values.get(name)
            if value is None or value.shape != parameter.shape:
                found = "none" if value is None else f"shape {tuple(value.shape)}"
                raise ModelFolderError(
                    f"the soft preference checkpoint should hold {name} of shape {tuple(parameter.shape)}; "
                    f"it holds {found}. Copy it again."
                )
            parameter.copy_(value)

    @torch.no_grad()
    def aim(self, ids: Tensor, mask: Tensor, known: Tensor) -> None:
        """Begin near the text space: E_m of these prompts at the mean of `known`, with half its spread.

        A generator makes nothing of vectors from elsewhere, and learning the way there takes most of a run.

        Args:
            known: embeddings of texts, shape (n, width). Of a single one the spread is its own size; where
                all prompts are read alike, so is theirs.
        """
        states = self.hidden(ids, mask)
        states = states.flatten(0, 1) if self.shape.length is None else states.mean(1)
        centre = states.mean(0)
        guess = (states - centre) @ self.map.weight.T
        if float(guess.abs().max()) < 1e-6:
            guess = states @ self.map.weight.T
        spread = known.std(0).mean() if len(known) > 1 else known.abs().mean()
        self.map.weight.mul_(0.5 * spread.to(guess) / guess.std().clamp(min=1e-6))
        self.map.bias.copy_(known.mean(0).to(guess) - self.map.weight @ centre)


def prompt_ids(prompt: str, llm: SharedModel, shape: Shape) -> list[int]:
    """Tokens of a prompt, at least one; of one that does not fit the context, the middle is left out.

    Raises:
        ConfigError: the LLM's context has no room for a prompt beside multimodal tokens and prefix.
    """
    config: Any = llm.model.config
    context = min(getattr(config, "max_position_embeddings", None) or MAX_CONTEXT, MAX_CONTEXT)
    room = context - shape.tokens - shape.prefix
    if room < 1:
        raise ConfigError(
            f"{shape.tokens} multimodal tokens and {shape.prefix} prefixes leave no room for a prompt in a "
            f"context of {context} tokens. Train fewer, or name a language model with a longer context."
        )
    ids = list(llm.tokenizer(well_formed(prompt))["input_ids"]) or [0]
    if len(ids) <= room:
        return ids
    head = room // 3
    return [*ids[:head], *ids[len(ids) - (room - head) :]]


def prompt_rows(rows: Sequence[Sequence[int]], *, device: str) -> tuple[Tensor, Tensor]:
    """Token ids as `SoftTokens` takes them: (ids, mask)."""
    padded = PaddedRows.of(rows, prefix=0, pad=0, device=device)
    return padded.tokens, padded.mask


def _with_prefix(decoder: Any, prefix: int, draw: torch.Generator) -> Any:
    from peft import PrefixTuningConfig, TaskType, get_peft_model

    config = PrefixTuningConfig(task_type=TaskType.FEATURE_EXTRACTION, num_virtual_tokens=prefix)
    with warnings.catch_warnings():
        # PEFT asks transformers under a name that is on its way out.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        wrapped: Any = get_peft_model(decoder, config)
    weight = wrapped.prompt_encoder["default"].embedding.weight
    with torch.no_grad():
        weight.copy_(torch.randn(weight.shape, generator=draw) * 0.02)
    return wrapped
