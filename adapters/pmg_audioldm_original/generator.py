"""M = Generator(w_p * E^p, w_t * E^t) with the original AudioLDM (paper, section 3.4)."""

from __future__ import annotations

import functools
import itertools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pmg_audioldm_original.checkpoint import find_checkpoint, fingerprint
from pmg_audioldm_original.process import WorkerProcess
from pmg_audioldm_original.text_encoder import Loaded, WorkerTextEncoder
from pmg_sdk.accelerator import check_batch_size, in_batches
from pmg_sdk.audio import Audio
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ConfigError, GenerationError, InputError, SpaceMismatch
from pmg_sdk.interfaces import GenerationRequest, Generator, GeneratorSpec
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer, Silent, check_cancelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AudioLDMOriginalGenerator"]

PART_SECONDS = 2.5
"""What the package makes is as many times as long."""

MOST_STEPS = 999
"""It was trained with one noise level more, and its sampler leaves out the first."""


@dataclass(frozen=True, eq=False)
class _Job:
    """A request with everything filled in; vectors are float32, shape (width,)."""

    conditioning: NDArray[np.float32]
    negative: NDArray[np.float32]
    seed: int
    steps: int
    guidance: float

    @property
    def together(self) -> tuple[int, float]:
        """What a batch has in common."""
        return self.steps, self.guidance


class AudioLDMOriginalGenerator(Generator):
    """Sounds by a checkpoint of the original `audioldm` package, in a process of its own environment.

    The package pins numpy<=1.23.5 and cannot share an environment with pmg-sdk. It is started with the
    first use, and again where it has died. One CLAP vector conditions ("pooled"); the sampler is the
    package's DDIM, with noises of each candidate's own.

    Args:
        python: the interpreter of the environment that has audioldm.
        model: path of a checkpoint, or a name the package keeps one under, "audioldm-s-full" for example.
        architecture: the package's name of the checkpoint's architecture; None takes `model` where that is
            a name, else "audioldm-s-full".
        config: path of a YAML file in the package's form, for an architecture of another's own.
        text: folder of the tokenizer and config.json of roberta-base, so that no hub is asked.
        seconds: length of a sound, a multiple of 2.5.
        steps, guidance: used when a request names none.
        device: "auto", or torch's name of one, there.
        batch_size: most candidates at once; halved where memory runs out.
    """

    def __init__(
        self,
        *,
        python: str,
        model: str = "audioldm-s-full",
        architecture: str | None = None,
        config: str | None = None,
        text: str | None = None,
        seconds: float = 10.0,
        steps: int = 200,
        guidance: float = 2.5,
        device: str = "auto",
        batch_size: int = 4,
    ) -> None:
        check_batch_size(batch_size)
        parts = seconds / PART_SECONDS
        if not (math.isfinite(parts) and parts >= 1 and parts == int(parts)):
            raise ConfigError(f"seconds: expected a multiple of {PART_SECONDS}; got {seconds}")
        self.python = python
        self.model = model
        self.architecture = architecture or (model if model.startswith("audioldm-") else "audioldm-s-full")
        self.config = config
        self.text = text
        self.seconds = seconds
        self.batch_size = batch_size
        self._device = device
        self._steps = steps
        self._guidance = guidance
        self._worker: Loaded | None = None
        self._starting = threading.Lock()

    @cached_property
    def spec(self) -> GeneratorSpec:
        """What this generator is; a few bytes of the checkpoint are read."""
        return GeneratorSpec(
            modality="audio",
            conditioning="pooled",
            space=f"audioldm-original/{fingerprint(find_checkpoint(self.model))}",
            negative=True,
            steps=self._steps,
            guidance=self._guidance,
        )

    @cached_property
    def text_encoder(self) -> WorkerTextEncoder:
        """The CLAP text tower in the checkpoint."""
        return WorkerTextEncoder(str(self.spec.space), self._ready)

    def load(self, observer: Observer | None = None) -> None:
        """Start the worker and load the checkpoint in it; calling it twice costs nothing.

        Raises:
            MissingExtra: interpreter or package are not there.
            ModelFolderError: the checkpoint is missing, damaged, or of another architecture.
            BackendError: the worker died. Cancelled: the observer asked to stop.
        """
        self._ready(observer)

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        """Make one sound for every request, in order.

        A request without conditioning is made from its `text` and `negative_text`. The observer hears
        of "denoise", counted in candidates times steps.

        Raises:
            SpaceMismatch: a conditioning of another space than the spec's.
            InputError: no pooled vector, steps below 1, or a guidance that is not a number >= 0.
            OutOfMemory: a batch of one does not fit.
            Cancelled: the observer asked to stop.
            GenerationError: the model produced values that are not numbers.
            MissingExtra, ModelFolderError, BackendError: see `load`.
        """
        if not requests:
            return []
        observer = observer or Silent()
        worker = self._ready(observer)
        encode = functools.cache(lambda text: self.text_encoder.encode([text])[0])
        jobs = [self._job(request, worker.width, encode) for request in requests]
        observer.start("denoise", sum(job.steps for job in jobs))
        check_cancelled(observer)
        made: dict[int, Media] = {}
        order = sorted(range(len(jobs)), key=lambda index: jobs[index].together)
        for _, group in itertools.groupby(order, key=lambda index: jobs[index].together):
            indices = list(group)
            batch = [jobs[index] for index in indices]
            sounds = in_batches(
                batch, lambda some: self._sounds(worker, some, observer), limit=self.batch_size
            )
            made.update(zip(indices, sounds, strict=True))
        return [made[index] for index in range(len(jobs))]

    def _sounds(self, worker: Loaded, jobs: Sequence[_Job], observer: Observer) -> list[Audio]:
        def on_step() -> bool:
            observer.advance("denoise", len(jobs))
            return not observer.cancelled()

        steps, guidance = jobs[0].together
        question = {
            "is": "generate",
            "seeds": [job.seed for job in jobs],
            "steps": steps,
            "guidance": guidance,
            "seconds": self.seconds,
        }
        _, arrays = worker.process.ask(
            question,
            on_step=on_step,
            conditioning=np.stack([job.conditioning for job in jobs]),
            negative=np.stack([job.negative for job in jobs]),
        )
        waveforms = arrays["waveforms"]
        if len(waveforms) != len(jobs) or not np.isfinite(waveforms).all():
            raise GenerationError(
                f"{len(jobs)} waveforms of numbers were expected of the worker; got other values"
            )
        return [Audio.from_waveform(waveform, worker.rate) for waveform in waveforms]

    def _job(self, request: GenerationRequest, width: int, encode: Callable[[str], Conditioning]) -> _Job:
        steps = self._steps if request.steps is None else request.steps
        guidance = self._guidance if request.guidance is None else request.guidance
        if not 1 <= steps <= MOST_STEPS:
            raise InputError(f"1 to {MOST_STEPS} denoising steps were expected; got {steps}")
        if not (math.isfinite(guidance) and guidance >= 0):
            raise InputError(f"a guidance that is a number >= 0 was expected; got {guidance}")
        negative = request.negative
        if negative is None:
            negative = encode("" if request.conditioning is not None else request.negative_text)
        return _Job(
            self._vector(request.conditioning or encode(request.text), width),
            self._vector(negative, width),
            request.seed % 2**63,
            steps,
            guidance,
        )

    def _vector(self, conditioning: Conditioning, width: int) -> NDArray[np.float32]:
        if conditioning.space != self.spec.space:
            raise SpaceMismatch(
                f"a conditioning in the space {self.spec.space!r} was expected by {self.model}; "
                f"it lives in {conditioning.space!r}. Encode with the generator's own text_encoder."
            )
        vector = conditioning.pooled
        if vector is None or len(vector) != width or not np.isfinite(vector).all():
            found = "none" if vector is None else f"{len(vector)} values"
            raise InputError(
                f"a pooled vector of {width} numbers was expected in a conditioning; got {found}"
            )
        return vector

    def _ready(self, observer: Observer | None = None) -> Loaded:
        """The worker, started where there is none that lives."""
        with self._starting:
            if self._worker is None or not self._worker.process.alive:
                self._worker = self._start(observer or Silent())
            return self._worker

    def _start(self, observer: Observer) -> Loaded:
        checkpoint = find_checkpoint(self.model)
        observer.start("load", 1)
        process = WorkerProcess(self.python)
        question = {
            "is": "load",
            "checkpoint": str(checkpoint.resolve()),
            "architecture": self.architecture,
            "config": self.config,
            "text": self.text,
            "device": self._device,
        }
        try:
            found, _ = process.ask(question, observer=observer)
        except BaseException:
            process.end()
            raise
        observer.advance("load")
        return Loaded(process, int(found["width"]), int(found["max_tokens"]), int(found["rate"]))
