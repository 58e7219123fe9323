"""Training of soft preference embeddings on prepared examples (paper, section 3.3.2).

    E^p = [E_m; E_k],  loss = the generator's own on E^p and the last item,    (see `soft_form`)
    learnt are m, t and the map; LLM, text encoder and generator stay frozen.

The generator returns d loss / d E^p as numpy, and from there the gradient goes through the LLM. Accelerate
brings devices, processes and TensorBoard: `accelerate launch -m pmg_sdk.cli train ...` uses several.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pmg_sdk.conditioning import Conditioning, join
from pmg_sdk.errors import ConfigError, SpaceMismatch
from pmg_sdk.interfaces import Generator, SupportsTraining, TextEncoder, TrainingLoss
from pmg_sdk.progress import Observer, Silent, check_cancelled
from pmg_sdk.training.trainable import trainable
from pmg_transformers.shared_model import SharedModel, shared_causal_model
from pmg_transformers.soft_preference.batches import Drawn, KeywordCache, train_batch, validation_batch
from pmg_transformers.soft_preference.checkpoint import JSON_FILE, SoftCheckpoint, named_from
from pmg_transformers.soft_preference.llm_print import LLMPrint
from pmg_transformers.soft_preference.recipe import Recipe
from pmg_transformers.soft_preference.run_log import RunLog
from pmg_transformers.soft_preference.soft_form import conditionings, pulled_back
from pmg_transformers.soft_preference.soft_tokens import Shape, SoftTokens, prompt_ids, prompt_rows

if TYPE_CHECKING:
    from accelerate import Accelerator

    from pmg_sdk.training.examples import ExampleFolder, TrainingExample

__all__ = ["Outcome", "Trainer", "parameter_groups"]

VALIDATION_DRAWS = 8
CLIP = 1.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        steps: taken in all; `best_step`: the one whose values were kept.
        loss: of validation with E_m at the best step; `keywords_alone`: without, on the same noises.
        stopped_early: whether validation ended it.
        samples_per_second: users, over all processes, of the steps taken now; validation apart.
    """

    steps: int
    best_step: int
    loss: float
    keywords_alone: float
    stopped_early: bool
    samples_per_second: float


class Trainer:
    """One run, in a folder of its own; constructing it resumes where the folder's checkpoint stands.

    Two runs of one recipe on one machine give the same numbers, on the CPU to the last bit.

    Args:
        examples: parts "train" and "validation" are read.
        out: takes the checkpoint, `log.jsonl` and TensorBoard's files.
        llm: name of the LLM, as `shared_causal_model` takes it.
        generator: supports training, and lives in the examples' space.
        text_encoder: of that space; None takes the generator's own.
        accelerator: None makes one; several processes have one each.

    Raises:
        CapabilityError: the generator does not support training, or takes only text.
        SpaceMismatch: examples, text encoder and generator are not of one space.
        ConfigError: `out` holds a run of another recipe, or the batch does not divide among the processes.
        InputError: there are no examples. ModelFolderError: the LLM, or the checkpoint, is not usable.
    """

    def __init__(
        self,
        examples: ExampleFolder,
        out: Path,
        *,
        llm: str,
        generator: Generator,
        text_encoder: TextEncoder | None = None,
        recipe: Recipe | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        from accelerate import Accelerator

        self.recipe = recipe or Recipe()
        self.out = out
        self._generator: SupportsTraining = trainable(generator)
        self._space = _common_space(examples, generator, text_encoder)
        self.accelerator = accelerator or Accelerator(
            log_with="tensorboard" if find_spec("tensorboard") else None,
            project_dir=str(out),
            mixed_precision="no",  # the recipe's precision is the LLM's; what learns stays float32
        )
        _check_sharing(self.recipe, self.accelerator.num_processes)
        self._llm_name = llm
        self._llm = self._read_llm()
        self._train, self._validation = examples.read("train"), examples.read("validation")
        encoder = text_encoder or generator.text_encoder
        assert encoder is not None  # a generator with a space brings one, or one was given
        self._keywords = KeywordCache(encoder, [*self._train, *self._validation])
        self._about = {**examples.about, **self.counts}

        kind = generator.spec.conditioning
        known = torch.from_numpy(self._keywords.known(kind))
        length = float(f"{known.norm(dim=1).mean():.4g}") if kind == "pooled" else None
        shape = Shape(self.recipe.tokens, self.recipe.prefix, known.shape[1], length)
        self.soft = SoftTokens(self._llm.model, shape, seed=self.recipe.seed).to(self.accelerator.device)
        self._prompts = {example.prompt: self._ids(example) for example in (*self._train, *self._validation)}
        first = [self._prompts[example.prompt] for example in self._train[: self.recipe.batch]]
        self.soft.aim(*prompt_rows(first, device=self._device), known)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.soft, self.recipe), betas=(0.9, 0.99))
        self.step = 0
        self._best = _Best(float("inf"), 0, self.soft.values())
        self._keywords_alone = float("nan")
        self._losses: list[float] = []
        self._checked_in = -1
        self._resume()
        self._model: Any = self.accelerator.prepare(self.soft)

    @property
    def parameters(self) -> dict[str, int]:
        """How many values learn, by part: "m", "prefix" and "map"."""
        counts: dict[str, int] = {}
        for name, value in self.soft.trained():
            part = name.partition(".")[0]
            counts[part] = counts.get(part, 0) + value.numel()
        return counts

    @property
    def frozen(self) -> int:
        """How many values of the LLM stay as they are."""
        return sum(value.numel() for value in self._llm.model.parameters())

    @property
    def counts(self) -> dict[str, int]:
        """How many examples there are, by part."""
        return {"train": len(self._train), "validation": len(self._validation)}

    def run(self, observer: Observer | None = None) -> Outcome:
        """Train until the steps are done or validation no longer improves; interrupted, call it again.

        Raises:
            Cancelled: the observer asked to stop; the last checkpoint stands.
            GenerationError, OutOfMemory: see `SupportsTraining.training_loss`.
            StorageError: log or checkpoint cannot be written; the last checkpoint stands.
        """
        observer = observer or Silent()
        recipe, log = self.recipe, RunLog(self.out, self.step, self.accelerator)
        observer.start("train", recipe.steps)
        observer.advance("train", self.step)
        first, seconds = self.step, 0.0
        while True:
            if self._is_due:
                self._check_in(log, observer)
            if self.step == recipe.steps or self._patience_is_out:
                break
            check_cancelled(observer)
            begun = time.perf_counter()
            self._losses.append(self.train_step())
            seconds += time.perf_counter() - begun
            observer.advance("train")
        log.close()
        return Outcome(
            steps=self.step,
            best_step=self._best.step,
            loss=self._best.loss,
            keywords_alone=self._keywords_alone,
            stopped_early=self.step < recipe.steps,
            samples_per_second=(self.step - first) * recipe.batch / max(seconds, 1e-9),
        )

    def train_step(self) -> float:
        """One step down the loss of one batch; returns that loss, over all processes."""
        recipe, accelerator = self.recipe, self.accelerator
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * recipe.rate_at(self.step)
        mine = self._share(train_batch(recipe, self.step, len(self._train)))
        size = len(mine) // recipe.accumulate
        total = 0.0
        for at in range(0, len(mine), size):
            last = at + size >= len(mine)
            with nullcontext() if last else accelerator.no_sync(self._model):
                total += self._descend(mine[at : at + size], self._train, share=size / len(mine))
        accelerator.clip_grad_norm_([value for _, value in self.soft.trained()], CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return self._mean_over_processes(total)

    @torch.no_grad()
    def validate(self, *, soft: bool = True, observer: Observer | None = None) -> float:
        """Mean loss of the validation part, on the same noises and conditions each time.

        Args:
            soft: False leaves E_m out: what keywords alone explain.
        """
        drawn = self._share(validation_batch(self.recipe, len(self._validation)))
        losses: list[float] = []
        size = max(1, self.recipe.batch * self.recipe.draws // VALIDATION_DRAWS)
        for at in range(0, len(drawn), size):
            if observer is not None:
                check_cancelled(observer)
            batch = drawn[at : at + size]
            chosen = [self._validation[each.place] for each in batch]
            if soft:
                E_m = conditionings(self._encode(chosen), self._space)
                beside = map(self._keywords.of, chosen, batch)
                parts = [[own, *known] for own, known in zip(E_m, beside, strict=True)]
            else:
                parts = list(map(self._keywords.alone, chosen, batch))
            result = self._loss(parts, chosen, batch, draws=VALIDATION_DRAWS, gradients=False)
            losses += result.values.tolist()
        total = torch.tensor([sum(losses), len(losses)], dtype=torch.float64, device=self.accelerator.device)
        gathered = self.accelerator.reduce(total.float() if self._device.startswith("mps") else total)
        return float(gathered[0] / gathered[1])

    def _descend(self, batch: Sequence[Drawn], examples: Sequence[TrainingExample], share: float) -> float:
        chosen = [examples[drawn.place] for drawn in batch]
        E_m = self._encode(chosen)
        beside = list(map(self._keywords.of, chosen, batch))
        parts = [[own, *known] for own, known in zip(conditionings(E_m, self._space), beside, strict=True)]
        result = self._loss(parts, chosen, batch, draws=self.recipe.draws, gradients=True)
        # The generator's gradient, carried on through the join, the map and the LLM by the chain rule.
        self.accelerator.backward(pulled_back(E_m, beside, result.gradients) * (share / len(batch)))
        return float(result.values.mean()) * share

    def _encode(self, chosen: Sequence[TrainingExample]) -> torch.Tensor:
        rows = [self._prompts[example.prompt] for example in chosen]
        # Wrapped for several processes, a forward may wait for the others, who validate fewer batches.
        model = self._model if torch.is_grad_enabled() else self.soft
        E_m: torch.Tensor = model(*prompt_rows(rows, device=self._device))
        return E_m

    def _loss(
        self,
        parts: Sequence[Sequence[Conditioning]],
        chosen: Sequence[TrainingExample],
        batch: Sequence[Drawn],
        *,
        draws: int,
        gradients: bool,
    ) -> TrainingLoss:
        return self._generator.training_loss(
            [join([(part, 1.0) for part in each]) for each in parts],
            [example.latent for example in chosen],
            [drawn.seed for drawn in batch],
            draws=draws,
            gradients=gradients,
        )

    def _share(self, drawn: Sequence[Drawn]) -> list[Drawn]:
        """What falls to this process."""
        return list(drawn[self.accelerator.process_index :: self.accelerator.num_processes])

    def _mean_over_processes(self, value: float) -> float:
        if self.accelerator.num_processes == 1:
            return value
        told = torch.tensor(value, dtype=torch.float32, device=self.accelerator.device)
        return float(self.accelerator.reduce(told, reduction="mean"))

    @property
    def _patience_is_out(self) -> bool:
        return self.step - self._best.step >= self.recipe.patience * self.recipe.validate_every

    @property
    def _is_due(self) -> bool:
        """Whether a validation is, and a checkpoint: at the beginning, now and then, and at the end."""
        at_end = self.step == self.recipe.steps
        return self._checked_in != self.step and (at_end or self.step % self.recipe.validate_every == 0)

    def _check_in(self, log: RunLog, observer: Observer) -> None:
        """Validate, keep the values if they are the best, write a checkpoint."""
        if math.isnan(self._keywords_alone):
            self._keywords_alone = self.validate(soft=False, observer=observer)
        loss = self.validate(observer=observer)
        if self._losses:
            log.write(self.step, "train/loss", float(np.mean(self._losses)))
        log.write(self.step, "validation/loss", loss)
        log.write(self.step, "validation/keywords_alone", self._keywords_alone)
        if loss < self._best.loss:
            self._best = _Best(loss, self.step, self.soft.values())
        if self.accelerator.is_main_process:
            self.checkpoint().save(self.out)
        self._losses, self._checked_in = [], self.step
        self.accelerator.wait_for_everyone()

    def checkpoint(self) -> SoftCheckpoint:
        """The run as it stands."""
        state = {f"now.{name}": value for name, value in self.soft.values().items()}
        for index, entry in self.optimizer.state_dict()["state"].items():
            state |= {
                f"optimizer.{index}.{key}": torch.as_tensor(value).cpu() for key, value in entry.items()
            }
        return SoftCheckpoint(
            llm=self._llm_name,
            llm_print=LLMPrint.of(self._llm.model),
            space=self._space,
            scenario=str(self._about["scenario"]),
            tokens=self.recipe.tokens,
            prefix=self.recipe.prefix,
            values=self._best.values,
            length=self.soft.shape.length,
            data=self._about,
            recipe=self.recipe.model_dump(mode="json"),
            measures={
                "validation_loss": self._best.loss,
                "keywords_alone": self._keywords_alone,
                "step": self._best.step,
            },
            progress={"step": self.step},
            state=state,
        )

    def _resume(self) -> None:
        if not (self.out / JSON_FILE).exists():
            return
        found = SoftCheckpoint.load(self.out)
        if not found.progress:
            raise ConfigError(f"{self.out} holds an exported checkpoint, which cannot be trained on")
        if found.recipe != self.recipe.model_dump(mode="json") or found.data != self._about:
            raise ConfigError(
                f"{self.out} holds a run of another recipe or other examples. "
                "Take its settings to go on with it, or another folder to begin anew."
            )
        if found.length != self.soft.shape.length:
            raise ConfigError(
                f"{self.out} holds a run for another kind of generator, {_told(found.length)}; this one's is "
                f"{_told(self.soft.shape.length)}. Take another folder to begin anew."
            )
        found.llm_print.expect(self._llm.model, self._llm_name)
        self.soft.set_values(named_from(found.state, "now."))
        self.optimizer.load_state_dict(
            {
                "state": _optimizer_state(found.state),
                "param_groups": self.optimizer.state_dict()["param_groups"],
            }
        )
        self.step = self._checked_in = int(found.progress["step"])
        measures = found.measures
        self._best = _Best(measures["validation_loss"], measures["step"], dict(found.values))
        self._keywords_alone = float(measures["keywords_alone"])

    def _read_llm(self) -> SharedModel:
        precision = self.recipe.precision
        if precision == "auto":
            precision = "bf16" if self.accelerator.device.type == "cuda" else "fp32"
        dtype = {"bf16": "bfloat16", "fp32": "float32"}[precision]
        return shared_causal_model(self._llm_name, device=self._device, dtype=dtype)

    def _ids(self, example: TrainingExample) -> list[int]:
        with self._llm.lock:
            return prompt_ids(
                example.prompt, self._llm, Shape(self.recipe.tokens, self.recipe.prefix, width=0)
            )

    @property
    def _device(self) -> str:
        return str(self.accelerator.device)


@dataclass(frozen=True)
class _Best:
    loss: float
    step: int
    values: dict[str, torch.Tensor]


def parameter_groups(soft: SoftTokens, recipe: Recipe) -> list[dict[str, Any]]:
    """What learns as AdamW takes it, each group with its "peak" rate."""
    named = dict(soft.trained())
    quick = [named[name] for name in ("m", "prefix") if name in named]
    return [
        {"params": quick, "peak": recipe.prefix_rate, "weight_decay": 0.0},
        {"params": [named["map.weight"]], "peak": recipe.rate, "weight_decay": recipe.decay},
        {"params": [named["map.bias"]], "peak": recipe.rate, "weight_decay": 0.0},
    ]


def _common_space(examples: ExampleFolder, generator: Generator, encoder: TextEncoder | None) -> str:
    space = str(examples.about["space"])
    for what, found in (
        ("the generator", generator.spec.space),
        ("the text encoder", encoder.space if encoder is not None else space),
    ):
        if found != space:
            raise SpaceMismatch(
                f"{what} of the space {space!r} was expected, the examples'; got {found!r}. "
                "Prepare examples with this generator."
            )
    return space


def _told(length: float | None) -> str:
    return "tokens" if length is None else f"one vector of length {length:g}"


def _check_sharing(recipe: Recipe, processes: int) -> None:
    if recipe.batch % (processes * recipe.accumulate):
        raise ConfigError(
            f"a batch that divides among {processes} processes and {recipe.accumulate} forwards each was "
            f"expected; got {recipe.batch}"
        )


def _optimizer_state(tensors: Mapping[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in named_from(tensors, "optimizer.").items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    return state
