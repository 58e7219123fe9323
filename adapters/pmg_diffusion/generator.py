"""M = Generator(w_p * E^p, w_t * E^t) by diffusion (paper, section 3.4), whatever the medium."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pmg_diffusion.folder import DiffusersFolder
from pmg_diffusion.model import DiffusionModel
from pmg_diffusion.options import Options
from pmg_diffusion.sampling import Job, Sampler
from pmg_diffusion.training import DiffusionLoss, Entry
from pmg_sdk.accelerator import choose_device
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import InputError, SpaceMismatch
from pmg_sdk.interfaces import GenerationRequest, Generator, SupportsLoading, TextEncoder, TrainingLoss
from pmg_sdk.loading import Once
from pmg_sdk.progress import Silent, check_cancelled

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.media import Media
    from pmg_sdk.progress import Observer

__all__ = ["DiffusionGenerator"]


class DiffusionGenerator(Generator):
    """All of a diffusion generator but what its kind of model is.

    A subclass gives `spec`, its `_folder`, its `_own_encoder` and `_load_model`. Where its network wants
    more than embeddings, what only text can fill, it says so in `_completed`.

    Nothing is loaded before the first use or `load`. The same request gives the same medium, alone or in
    a batch, but for rounding. One generator serves one call at a time.
    """

    NETWORKS: ClassVar[int] = 2
    """How many networks `_load_model` loads, for progress."""

    def __init__(self, options: Options) -> None:
        self.model = options.model
        self._options = options
        self._sampler: Once[Sampler] = Once()
        self._estimate: torch.Tensor | None = None

    @property
    @abstractmethod
    def _folder(self) -> DiffusersFolder:
        """What the model's files say; located once."""

    @property
    @abstractmethod
    def _own_encoder(self) -> TextEncoder:
        """The text encoder in the model's folder; made once, loaded at its first use."""

    @abstractmethod
    def _load_model(self, device: torch.device, observer: Observer) -> DiffusionModel:
        """The networks, with one advance of "load" each."""

    def _completed(self, conditioning: Conditioning, text: str | None) -> Conditioning:
        """With what the network wants besides and only text can fill.

        Args:
            text: None is the empty prompt as the model was trained with it.
        """
        return conditioning

    @cached_property
    def text_encoder(self) -> TextEncoder:
        """The encoder given, else the model's own.

        Raises:
            SpaceMismatch: the one given lives in another space.
        """
        given = self._options.text_encoder
        if given is None:
            return self._own_encoder
        self._expect_space(given.space, "the text encoder given")
        return given

    def load(self, observer: Observer | None = None) -> None:
        """Load networks and text encoder; calling it twice costs nothing."""
        observer = observer or Silent()
        self._ready(observer)
        if isinstance(self.text_encoder, SupportsLoading):
            self.text_encoder.load(observer)

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        """Make one medium for every request, in order.

        A request without conditioning is made from its `text` and `negative_text`. The observer hears
        of "denoise", counted in candidates times steps.

        Raises:
            SpaceMismatch: a conditioning of another space than the spec's.
            InputError: nothing to condition on, steps below 1, or a guidance that is not a number >= 0.
            OutOfMemory: a batch of one does not fit.
            Cancelled: the observer asked to stop.
            GenerationError: the model produced values that are not numbers.
        """
        import torch

        if not requests:
            return []
        observer = observer or Silent()
        jobs = self._jobs(requests)
        sampler = self._ready(observer)
        observer.start("denoise", sampler.total_steps(jobs))
        check_cancelled(observer)

        def on_step(candidates: int, estimate: torch.Tensor) -> None:
            self._estimate = estimate
            observer.advance("denoise", candidates)
            check_cancelled(observer)

        try:
            with torch.inference_mode():
                return list(sampler.model.decode(sampler.latents(jobs, on_step)))
        finally:
            self._estimate = None

    def preview(self) -> list[Media]:
        """The current estimate of every candidate of the running batch; empty when none is running."""
        import torch

        # Another thread may be asking: the batch may end in between.
        estimate, sampler = self._estimate, self._sampler.value
        if estimate is None or sampler is None:
            return []
        with torch.inference_mode():
            return list(sampler.model.decode(list(estimate)))

    def training_targets(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        """Latents of the autoencoder, float32 (C, h, w), of media brought to the form the model makes.

        Raises:
            CapabilityError: a medium of another modality. OutOfMemory: one medium does not fit.
        """
        import torch

        model = self._ready(Silent()).model  # outside: what is loaded in inference mode has no gradients
        with torch.inference_mode():
            return model.encode(media)

    def training_loss(
        self,
        conditionings: Sequence[Conditioning],
        targets: Sequence[NDArray[np.float32]],
        seeds: Sequence[int],
        *,
        draws: int = 1,
        gradients: bool = True,
    ) -> TrainingLoss:
        """The squared error of what the UNet predicts at random noise levels, without guidance.

        Training wants dtype "bfloat16" or "float32".

        Raises:
            SpaceMismatch: a conditioning of another space than the spec's.
            InputError: the three lists differ in length, or a conditioning has nothing to condition on.
            OutOfMemory: one entry does not fit. GenerationError: a loss is not a number.
        """
        if not len(conditionings) == len(targets) == len(seeds):
            raise InputError(
                f"a target and a seed for every conditioning were expected; got {len(conditionings)} "
                f"conditionings, {len(targets)} targets and {len(seeds)} seeds"
            )
        if not conditionings:
            return TrainingLoss(np.zeros(0, np.float32))
        entries = [
            Entry(self._completed(self._usable(conditioning, "a conditioning"), None), target, seed)
            for conditioning, target, seed in zip(conditionings, targets, seeds, strict=True)
        ]
        return self._loss(entries, draws=draws, gradients=gradients)

    @property
    def _loss(self) -> DiffusionLoss:
        model = self._ready(Silent()).model
        return DiffusionLoss(model, self._folder.scheduler, self._options.batch_size)

    def _jobs(self, requests: Sequence[GenerationRequest]) -> list[Job]:
        """The requests with everything filled in that they leave open."""
        encode = functools.cache(lambda text: self.text_encoder.encode([text])[0])
        return [self._job(request, encode) for request in requests]

    def _job(self, request: GenerationRequest, encode: Callable[[str], Conditioning]) -> Job:
        steps = self.spec.steps if request.steps is None else request.steps
        guidance = self.spec.guidance if request.guidance is None else request.guidance
        if steps < 1:
            raise InputError(f"at least 1 denoising step was expected; got {steps}")
        if not (math.isfinite(guidance) and guidance >= 0):
            raise InputError(f"a guidance that is a number >= 0 was expected; got {guidance}")
        given = request.conditioning
        prompt = encode(request.text) if given is None else self._usable(given, "a conditioning")
        negative = None if guidance == 1 else self._negative(request, encode)
        return Job(self._completed(prompt, request.text), negative, request.seed % 2**63, steps, guidance)

    def _negative(self, request: GenerationRequest, encode: Callable[[str], Conditioning]) -> Conditioning:
        """What to stay away from: the request's own, or what it was trained with as no text."""
        text = request.negative_text
        if request.negative is not None:
            negative = self._usable(request.negative, "a negative conditioning")
            return self._completed(negative, text or None)
        if request.conditioning is None and text:
            return self._completed(encode(text), text)
        return self._empty_prompt

    def _usable(self, conditioning: Conditioning, what: str) -> Conditioning:
        self._expect_space(conditioning.space, what)
        if self.spec.conditioning == "sequence" and conditioning.tokens == 0:
            raise InputError(f"{what} with at least one token was expected; it has none")
        if self.spec.conditioning == "pooled" and conditioning.pooled is None:
            raise InputError(f"{what} with a pooled vector was expected; it has none")
        return conditioning

    def _expect_space(self, space: str, what: str) -> None:
        if space != self.spec.space:
            raise SpaceMismatch(
                f"{what} in the space {self.spec.space!r} was expected by {self.model}; "
                f"it lives in {space!r}. "
                "Encode with the generator's own text_encoder, or with one of equal weights."
            )

    @cached_property
    def _empty_prompt(self) -> Conditioning:
        (empty,) = self.text_encoder.encode([""])
        return self._completed(empty, None)

    def _ready(self, observer: Observer) -> Sampler:
        """The sampler, loaded at the first call."""
        return self._sampler.get(lambda: self._read(observer))

    def _read(self, observer: Observer) -> Sampler:
        import torch

        folder, options, _ = self._folder, self._options, self.spec
        observer.start("load", self.NETWORKS)
        return Sampler(
            model=self._load_model(torch.device(choose_device(options.device)), observer),
            scheduler=options.scheduler,
            scheduler_config=folder.scheduler,
            rescale=folder.guidance_rescale if options.guidance_rescale is None else options.guidance_rescale,
            interval=folder.defaults.guidance_interval
            if options.guidance_interval is None
            else options.guidance_interval,
            batch_size=options.batch_size,
        )
