"""Any causal language model of transformers as LLM_g: batched, prefix shared, greedy by default."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pmg_sdk.accelerator import check_batch_size, check_dtype, choose_device, in_batches
from pmg_sdk.errors import BackendError, ConfigError, InputError
from pmg_sdk.interfaces import Chat, LanguageModel
from pmg_sdk.loading import Once
from pmg_sdk.progress import Silent
from pmg_sdk.tokenizable import well_formed
from pmg_transformers.prefix_memory import Prefix, PrefixMemory
from pmg_transformers.shared_model import SharedModel, shared_causal_model
from pmg_transformers.token_batch import PaddedRows, common_prefix

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

    from pmg_sdk.progress import Observer

__all__ = ["TransformersLanguageModel"]

DEFAULT_CONTEXT = 2048
"""For models whose configuration does not say."""

MAX_CONTEXT = 32_768
"""Some configurations state a million; nobody waits for that."""


class TransformersLanguageModel(LanguageModel):
    """A decoder-only model from a hub id, a folder, a GGUF file or "pmg:NAME".

    The longest token prefix that all prompts of a batch share is computed once, and kept for the
    next call. Answers end at the first line break. Threads may share one instance; their calls
    take turns.

    Args:
        model: "pmg:smollm2-135m-instruct" is the one that comes with pmg-sdk.
        device: "auto", "cpu", "cuda", "cuda:N", "mps".
        dtype: "auto" (bfloat16 on CUDA, else float32), "float32", "float16" or "bfloat16".
        batch_size: prompts at once; halved where memory runs out.
        temperature: 0 is greedy; above it the seed decides.
        prefix_mib: memory for prefixes kept between calls, in MiB; 0 keeps none.
    """

    def __init__(
        self,
        *,
        model: str = "pmg:smollm2-135m-instruct",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 16,
        temperature: float = 0.0,
        prefix_mib: int = 64,
    ) -> None:
        check_dtype(dtype)
        check_batch_size(batch_size)
        if temperature < 0 or prefix_mib < 0:
            raise ConfigError(
                f"temperature and prefix_mib are not negative; got {temperature} and {prefix_mib}"
            )
        self.model = model
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self.temperature = temperature
        self._memory = PrefixMemory(prefix_mib * 1024 * 1024)
        self._loaded: Once[SharedModel] = Once()

    def load(self, observer: Observer | None = None) -> None:
        """Load tokenizer and weights; later calls do nothing.

        Raises:
            ModelFolderError, AssetError, ConfigError: see `read_causal_model` and `choose_device`.
        """
        self._shared(observer)

    @property
    def context_tokens(self) -> int:
        """What the model's configuration states, at most `MAX_CONTEXT`."""
        model, _ = self._parts()
        stated = getattr(model.config, "max_position_embeddings", None) or DEFAULT_CONTEXT
        return int(min(stated, MAX_CONTEXT))

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, without special ones."""
        with self._shared().lock:
            return len(self._ids(text))

    def complete(self, prompts: Sequence[Chat], *, max_tokens: int = 32, seed: int = 0) -> list[str]:
        """The first line of every answer.

        Raises:
            InputError: a prompt and its answer are longer than `context_tokens`.
            OutOfMemory: a batch of one does not fit.
        """
        if not prompts:
            return []
        with self._shared().lock:
            rows = [self._tokens(chat, room=max_tokens) for chat in prompts]
            numbered = list(enumerate(rows))
            return in_batches(
                numbered, lambda batch: self._answers(batch, max_tokens, seed), limit=self.batch_size
            )

    def choose(self, prompts: Sequence[Chat], options: Sequence[str]) -> list[list[float]]:
        """log P(option | prompt) for every option, for every prompt, up to a constant of the prompt.

        Raises:
            InputError: an option is empty, or a prompt does not fit.
            OutOfMemory: one prompt with one option does not fit.
        """
        with self._shared().lock:
            endings = [self._ids(option) for option in options]
            if not endings or not all(endings):
                raise InputError("options to choose from are non-empty texts; got an empty one, or none")
            room = max(len(ending) for ending in endings)
            return [self._ratings(self._tokens(chat, room=room), endings) for chat in prompts]

    def _parts(self) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
        shared = self._shared()
        return shared.model, shared.tokenizer

    def _shared(self, observer: Observer | None = None) -> SharedModel:
        return self._loaded.get(lambda: self._read(observer or Silent()))

    def _read(self, observer: Observer) -> SharedModel:
        observer.start("load language model", 1)
        shared = shared_causal_model(
            self.model, device=choose_device(self.device), dtype=self.dtype, observer=observer
        )
        observer.advance("load language model")
        return shared

    def _ids(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of any text; `special`: with those that the tokenizer puts around one."""
        _, tokenizer = self._parts()
        return list(tokenizer(well_formed(text), add_special_tokens=special)["input_ids"])

    def _tokens(self, chat: Chat, room: int) -> list[int]:
        _, tokenizer = self._parts()
        turns = [
            {"role": turn["role"], "content": _without_special(turn["content"], tokenizer)} for turn in chat
        ]
        if tokenizer.chat_template:
            tokens = self._ids(_templated(tokenizer, turns))
        else:
            tokens = self._ids(_plain_prompt(turns), special=True)
        if not tokens:
            raise InputError("a prompt with text was expected; got an empty one")
        if len(tokens) + room > self.context_tokens:
            raise InputError(
                f"prompt and answer have at most {self.context_tokens} tokens with this model; "
                f"got {len(tokens)} + {room}. Shorten the texts, or choose a model with a longer context."
            )
        return tokens

    def _answers(self, batch: Sequence[tuple[int, list[int]]], max_tokens: int, seed: int) -> list[str]:
        import torch

        model, tokenizer = self._parts()
        rows = [row for _, row in batch]
        shared = common_prefix(rows)
        cache = self._cache(rows[0][:shared], len(rows))
        suffix = PaddedRows.of([row[shared:] for row in rows], prefix=shared, pad=0, device=str(model.device))
        stops = _end_tokens(model, tokenizer)
        draws = [_generator(seed, number) for number, _ in batch]
        answers: list[list[int]] = [[] for _ in rows]
        texts = [""] * len(rows)
        done = [False] * len(rows)
        tokens, mask, positions = suffix.tokens, suffix.mask, suffix.positions
        with torch.inference_mode():
            for _ in range(max_tokens):
                logits = _forward(model, tokens, mask, positions, cache)[:, -1]
                picked = self._pick(logits, draws)
                for index, token in enumerate(picked):
                    if done[index]:
                        continue
                    if token in stops:
                        done[index] = True
                        continue
                    answers[index].append(token)
                    texts[index] = str(tokenizer.decode(answers[index], skip_special_tokens=True))
                    done[index] = "\n" in texts[index].lstrip()
                if all(done):
                    break
                tokens = torch.tensor(picked, device=model.device)[:, None]
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
                positions = positions[:, -1:] + 1
        return [text.strip().partition("\n")[0].strip() for text in texts]

    def _ratings(self, prompt: list[int], endings: Sequence[list[int]]) -> list[float]:
        """log P of every ending behind what all endings begin with, which is computed once."""
        import torch

        model, _ = self._parts()
        rows = [prompt + ending for ending in endings]
        shared = common_prefix(rows) - 1  # its last token is read again: it predicts what differs
        # Nothing follows a last token, so it need not be read; options of one token then read the same.
        inputs = [tuple(row[shared:-1]) for row in rows]
        reads = _without_beginnings(inputs)

        def steps(batch: Sequence[tuple[int, ...]]) -> list[torch.Tensor]:
            longest = max(len(read) for read in batch)
            # Padding stands on the right, where no token that counts can see it.
            padded = [[*read, *[0] * (longest - len(read))] for read in batch]
            behind = PaddedRows.of(padded, prefix=shared, pad=0, device=str(model.device))
            cache = self._cache(rows[0][:shared], len(batch))
            with torch.inference_mode():
                logits = _forward(model, behind.tokens, behind.mask, behind.positions, cache, every=True)
                return list(logits.float().log_softmax(-1).cpu())

        table = in_batches(reads, steps, limit=self.batch_size)
        ratings = []
        for row, read in zip(rows, inputs, strict=True):
            logs = table[next(place for place, other in enumerate(reads) if other[: len(read)] == read)]
            ratings.append(sum(float(logs[place, token]) for place, token in enumerate(row[shared + 1 :])))
        return ratings

    def _cache(self, tokens: list[int], rows: int) -> DynamicCache:
        """States of the shared prefix for `rows` rows, computed for one."""
        from transformers import DynamicCache

        if not tokens:
            return DynamicCache()

        def compute(known: Prefix | None, shared: int) -> Prefix:
            import torch

            model, _ = self._parts()
            if known is not None and shared == len(tokens):
                return known.first(shared)
            cache = known.cache(1, shared) if known is not None else DynamicCache()
            rest = PaddedRows.of([tokens[shared:]], prefix=shared, pad=0, device=str(model.device))
            with torch.inference_mode():
                _forward(model, rest.tokens, rest.mask, rest.positions, cache)
            return Prefix.of(tokens, cache)

        return self._memory.get(tokens, compute).cache(rows, len(tokens))

    def _pick(self, logits: torch.Tensor, draws: Sequence[torch.Generator]) -> list[int]:
        import torch

        if not torch.isfinite(logits).all():
            raise BackendError(
                f"the language model {self.model!r} produced values that are not numbers; try dtype='float32'"
            )
        if self.temperature == 0:
            return [int(token) for token in logits.argmax(-1)]
        chances = (logits.float() / self.temperature).softmax(-1).cpu()
        return [
            int(torch.multinomial(chance, 1, generator=draw))
            for chance, draw in zip(chances, draws, strict=True)
        ]


def _without_beginnings(reads: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Every read once, but those that another begins with."""
    different = dict.fromkeys(reads)
    return [
        read
        for read in different
        if not any(other != read and other[: len(read)] == read for other in different)
    ]


def _forward(
    model: Any,
    tokens: torch.Tensor,
    mask: torch.Tensor,
    positions: torch.Tensor,
    cache: DynamicCache,
    every: bool = False,
) -> torch.Tensor:
    """Logits, shape (rows, tokens or 1, vocabulary); the cache grows by the tokens."""
    output: torch.Tensor = model(
        input_ids=tokens,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=0 if every else 1,
    ).logits
    return output


def _templated(tokenizer: Any, turns: list[dict[str, str]]) -> str:
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    except Exception:  # Jinja errors: some templates know no system turn
        merged = [turn for turn in turns if turn["role"] != "system"]
        system = "\n".join(turn["content"] for turn in turns if turn["role"] == "system")
        if not merged or len(merged) == len(turns):
            raise
        merged[0] = {"role": "user", "content": f"{system}\n\n{merged[0]['content']}"}
        return str(tokenizer.apply_chat_template(merged, tokenize=False, add_generation_prompt=True))


def _plain_prompt(turns: Sequence[dict[str, str]]) -> str:
    """For models without a chat template: questions and answers as in a document."""
    blocks = [
        turn["content"]
        + ("\n" if turn["role"] == "assistant" else "\nAnswer:" if turn["role"] == "user" else "\n")
        for turn in turns
    ]
    return re.sub(r"Answer:\n(?=\S)", "Answer: ", "\n".join(blocks))


def _without_special(text: str, tokenizer: Any) -> str:
    """Text in which no special token of this very tokenizer is spelt out."""
    previous = None
    while previous != text:
        previous = text
        for token in tokenizer.all_special_tokens:
            text = text.replace(token, " ")
    return text


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    named = getattr(model.generation_config, "eos_token_id", None)
    ends = named if isinstance(named, list) else [named]
    return frozenset(token for token in [*ends, tokenizer.eos_token_id] if token is not None)


def _generator(seed: int, number: int) -> torch.Generator:
    import torch

    # One stream per prompt: an answer does not depend on what else is in its batch.
    return torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)
