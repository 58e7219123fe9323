"""M = Generator(w_p * E^p, w_t * E^t) with Stable Diffusion (paper, section 3.4)."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_sdk.accelerator import check_batch_size, check_dtype, choose_device
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ConfigError, InputError, ModelFolderError, SpaceMismatch
from pmg_sdk.interfaces import (
    GenerationRequest,
    Generator,
    GeneratorSpec,
    SupportsLoading,
    TextEncoder,
    TrainingLoss,
)
from pmg_sdk.loading import Once
from pmg_sdk.media import expect_image
from pmg_sdk.progress import Silent, check_cancelled
from pmg_stable_diffusion.diffusion_folder import DiffusionFolder
from pmg_stable_diffusion.sampling import Job, Sampler
from pmg_stable_diffusion.training import DiffusionLoss, Entry
from pmg_transformers.clip_pair import CLIPPairTextEncoder
from pmg_transformers.text_encoder import TransformersTextEncoder

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.media import Media
    from pmg_sdk.progress import Observer

__all__ = ["StableDiffusionGenerator"]


class StableDiffusionGenerator(Generator):
    """Images from any diffusers folder of Stable Diffusion 1.x, 2.x, XL, or the embedded emoji model.

    What is None is taken from the model folder (see `Defaults`). Nothing is loaded before the first
    use or `load`. The same request gives the same picture, alone or in a batch, but for rounding.
    One generator serves one call at a time.

    Args:
        model: a diffusers folder, a hub id, or "pmg:NAME".
        device: "auto", "cpu", "cuda", "mps".
        dtype: "auto" (fp16 on CUDA, else fp32), "float32", "float16" or "bfloat16".
        batch_size: most candidates in one batch; None is all of them. Halved when memory runs out.
        steps, guidance: used where a request names none.
        guidance_interval: (low, high) in 0..1 of the noise schedule, 1 being pure noise, in which the
            guidance acts; each step outside costs one forward instead of two. None is everywhere.
        guidance_rescale: 0..1, against overexposure (arXiv 2305.08891).
        size: (width, height) in pixels.
        scheduler: a name out of `SCHEDULERS`.
        clip_skip: last layers of the CLIP text encoder to leave out.
        padding: encode texts padded to the longest length, as Stable Diffusion was trained.
        text_encoder: another encoder of the same space, to share one between models.
    """

    def __init__(
        self,
        *,
        model: str = "pmg:emoji-diffusion",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        guidance_interval: tuple[float, float] | None = None,
        guidance_rescale: float | None = None,
        size: tuple[int, int] | None = None,
        scheduler: str | None = None,
        clip_skip: int = 0,
        padding: bool | None = None,
        text_encoder: TextEncoder | None = None,
    ) -> None:
        check_dtype(dtype)
        if batch_size is not None:
            check_batch_size(batch_size)
        self.model = model
        self._device = device
        self._dtype = dtype
        self._batch_size = batch_size
        self._steps = steps
        self._guidance = guidance
        self._interval = guidance_interval
        self._rescale = guidance_rescale
        self._size = size
        self._scheduler = scheduler
        self._clip_skip = clip_skip
        self._padding = padding
        self._given_encoder = text_encoder
        self._sampler: Once[Sampler] = Once()
        self._estimate: torch.Tensor | None = None

    @cached_property
    def spec(self) -> GeneratorSpec:
        """What this generator is, read from configuration files and a few bytes of the text encoder's."""
        folder = self._folder
        width, height = self._size or folder.size
        multiple = folder.downscaling
        if width < multiple or height < multiple or width % multiple or height % multiple:
            raise ConfigError(
                f"width and height are multiples of {multiple} for this model; got {width}x{height}"
            )
        defaults = folder.defaults
        return GeneratorSpec(
            modality="image",
            conditioning="sequence",
            space=self._own_encoder.space,
            negative=True,
            unconditional="zeros" if folder.empty_prompt_is_zeros else "empty text",
            steps=defaults.steps if self._steps is None else self._steps,
            guidance=defaults.guidance if self._guidance is None else self._guidance,
            size=(width, height),
        )

    @cached_property
    def text_encoder(self) -> TextEncoder:
        """The encoder given, else the model's own.

        Raises:
            SpaceMismatch: the one given lives in another space.
        """
        given = self._given_encoder
        if given is None:
            return self._own_encoder
        self._expect_space(given.space, "the text encoder given")
        return given

    def load(self, observer: Observer | None = None) -> None:
        """Load UNet, autoencoder and text encoder; calling it twice costs nothing."""
        observer = observer or Silent()
        self._ready(observer)
        if isinstance(self.text_encoder, SupportsLoading):
            self.text_encoder.load(observer)

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        """Make one image for every request, in order.

        A request without conditioning is made from its `text` and `negative_text`. The observer hears
        of "denoise", counted in candidates times steps.

        Raises:
            SpaceMismatch: a conditioning of another space than the spec's.
            InputError: no tokens to condition on, steps below 1, or a guidance that is not a number >= 0.
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
                return list(sampler.decode(sampler.latents(jobs, on_step)))
        finally:
            self._estimate = None

    def preview(self) -> list[Media]:
        """The current estimate of every candidate of the running batch; empty when none is running."""
        import torch

        estimate, sampler = (
            self._estimate,
            self._sampler.value,
        )  # another thread may be asking: the batch may end
        if estimate is None or sampler is None:
            return []
        with torch.inference_mode():
            return list(sampler.decode(list(estimate)))

    def training_targets(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        """Latents of the autoencoder, float32 (C, h, w), of pictures brought to the spec's size.

        Raises:
            CapabilityError: a medium is no image. OutOfMemory: one picture does not fit.
        """
        pictures = [expect_image(medium, "Stable Diffusion") for medium in media]
        return self._loss.latents(pictures)

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
            InputError: the three lists differ in length, or a conditioning has no tokens.
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
            Entry(self._complete(conditioning), target, seed)
            for conditioning, target, seed in zip(conditionings, targets, seeds, strict=True)
        ]
        return self._loss(entries, draws=draws, gradients=gradients)

    def _complete(self, conditioning: Conditioning) -> Conditioning:
        """With a pooled vector where the UNet wants one: without text that of the empty prompt."""
        self._usable(conditioning, "a conditioning")
        if not self._folder.is_xl or conditioning.pooled is not None:
            return conditioning
        return dataclasses.replace(conditioning, pooled=self._empty_prompt.pooled)

    @property
    def _loss(self) -> DiffusionLoss:
        sampler = self._ready(Silent())
        return DiffusionLoss(sampler.weights, sampler.size, self._folder.scheduler, self._batch_size)

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
        prompt = self._usable(request.conditioning, "a conditioning") or encode(request.text)
        if self._folder.is_xl and prompt.pooled is None:
            prompt = dataclasses.replace(prompt, pooled=encode(request.text).pooled)
        negative = self._usable(request.negative, "a negative conditioning")
        if guidance == 1:
            negative = None
        elif negative is None:
            from_text = request.conditioning is None and request.negative_text
            negative = encode(request.negative_text) if from_text else self._empty_prompt
        elif self._folder.is_xl and negative.pooled is None:
            empty = self._empty_prompt.pooled
            pooled = encode(request.negative_text).pooled if request.negative_text else empty
            negative = dataclasses.replace(negative, pooled=pooled)
        return Job(prompt, negative, request.seed % 2**63, steps, guidance)

    def _usable(self, conditioning: Conditioning | None, what: str) -> Conditioning | None:
        if conditioning is None:
            return None
        self._expect_space(conditioning.space, what)
        if conditioning.tokens == 0:
            raise InputError(f"{what} with at least one token was expected; it has none")
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
        if not self._folder.empty_prompt_is_zeros:
            return empty
        # Keys and values of zero tokens are equal, so one of them says as much as any number.
        pooled = None if empty.pooled is None else np.zeros_like(empty.pooled)
        return Conditioning(np.zeros_like(empty.embeds[:1]), empty.space, pooled)

    @cached_property
    def _folder(self) -> DiffusionFolder:
        return DiffusionFolder.locate(self.model)

    @cached_property
    def _own_encoder(self) -> TransformersTextEncoder | CLIPPairTextEncoder:
        folder = self._folder
        path = str(folder.files.path)
        options: dict[str, Any] = {
            "clip_skip": self._clip_skip,
            "padding": folder.defaults.padding if self._padding is None else self._padding,
            "max_tokens": folder.defaults.max_tokens,
            "device": self._device,
        }
        encoder = (
            CLIPPairTextEncoder(path, **options)
            if folder.is_xl
            else TransformersTextEncoder(path, subfolder="text_encoder", **options)
        )
        if encoder.width != folder.text_width:
            raise ModelFolderError(
                f"the UNet in {path} takes text embeddings of width {folder.text_width}; "
                f"the text encoder beside it gives {encoder.width}"
            )
        return encoder

    def _ready(self, observer: Observer) -> Sampler:
        """The sampler, loaded at the first call."""
        return self._sampler.get(lambda: self._read(observer))

    def _read(self, observer: Observer) -> Sampler:
        import torch

        from pmg_stable_diffusion.weights import DiffusionWeights

        folder, size = self._folder, self.spec.size
        observer.start("load", 2)
        return Sampler(
            weights=DiffusionWeights.load(
                folder, torch.device(choose_device(self._device)), self._dtype, observer
            ),
            size=size or folder.size,
            downscaling=folder.downscaling,
            scheduler=self._scheduler,
            scheduler_config=folder.scheduler,
            rescale=folder.guidance_rescale if self._rescale is None else self._rescale,
            interval=folder.defaults.guidance_interval if self._interval is None else self._interval,
            batch_size=self._batch_size,
        )
