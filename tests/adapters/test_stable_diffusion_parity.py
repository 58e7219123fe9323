"""The own denoising loop against the stock diffusers pipelines, on the same inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from pmg_diffusion.sampling import Job, Sampler
from pmg_diffusion.schedulers import SCHEDULERS
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Image
from pmg_sdk.progress import Silent
from pmg_stable_diffusion import StableDiffusionGenerator
from pmg_stable_diffusion.diffusion_folder import DiffusionFolder
from pmg_stable_diffusion.model import StableDiffusionModel

MODELS = ["sd15_model", "sd21_model", "sdxl_model", "embedded_model"]
GUIDANCE = 4.0
STEPS = 4
SEEDS = (1, 2)


def conditionings(folder: DiffusionFolder, seed: int) -> list[Conditioning]:
    """Two random conditionings of six tokens: the stock pipelines want all of one length."""
    random = np.random.default_rng(seed)
    pooled = random.standard_normal((2, 48), dtype=np.float32) if folder.is_xl else [None, None]
    embeds = random.standard_normal((2, 6, folder.text_width), dtype=np.float32)
    return [Conditioning(rows, "test", vector) for rows, vector in zip(embeds, pooled, strict=True)]


def own_latents(folder: DiffusionFolder, scheduler: str | None, rescale: float) -> torch.Tensor:
    prompts, negatives = conditionings(folder, seed=0), conditionings(folder, seed=1)
    sampler = Sampler(
        model=StableDiffusionModel.load(folder, torch.device("cpu"), "float32", Silent()),
        scheduler=scheduler,
        scheduler_config=folder.scheduler,
        rescale=rescale,
        interval=None,
        batch_size=None,
    )
    jobs = [
        Job(prompt, negative, seed, STEPS, GUIDANCE)
        for prompt, negative, seed in zip(prompts, negatives, SEEDS, strict=True)
    ]
    with torch.inference_mode():
        return torch.stack(sampler.latents(jobs, lambda candidates, estimate: None))


def stock_latents(folder: DiffusionFolder, scheduler: str | None, rescale: float) -> torch.Tensor:
    prompts, negatives = conditionings(folder, seed=0), conditionings(folder, seed=1)
    inputs = {
        "prompt_embeds": stacked([part.embeds for part in prompts]),
        "negative_prompt_embeds": stacked([part.embeds for part in negatives]),
    }
    if folder.is_xl:
        inputs["pooled_prompt_embeds"] = stacked([part.pooled for part in prompts])
        inputs["negative_pooled_prompt_embeds"] = stacked([part.pooled for part in negatives])
    pipeline = stock_pipeline(folder)
    if scheduler is not None:
        pipeline.scheduler = getattr(diffusers, SCHEDULERS[scheduler]).from_config(pipeline.scheduler.config)
    result: torch.Tensor = pipeline(
        **inputs,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        guidance_rescale=rescale,
        generator=[torch.Generator().manual_seed(seed) for seed in SEEDS],
        output_type="latent",
    ).images
    return result


def stock_pipeline(folder: DiffusionFolder) -> Any:
    if folder.is_xl:
        pipeline = diffusers.StableDiffusionXLPipeline.from_pretrained(
            folder.files.path, add_watermarker=False
        )
    else:
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(folder.files.path)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def stacked(rows: list[Any]) -> torch.Tensor:
    return torch.from_numpy(np.stack(rows))


def assert_equal_latents(own: torch.Tensor, stock: torch.Tensor) -> None:
    """Within 1e-4 of the latents' own scale; random weights can take latents far from unit variance."""
    scale = max(1.0, float(stock.abs().max()))
    assert float((own - stock).abs().max()) / scale <= 1e-4


@pytest.mark.parametrize("scheduler", [None, "ddim", "dpm++", "euler"])
@pytest.mark.parametrize("model", MODELS)
def test_latents_equal_the_stock_pipelines(model: str, scheduler: str | None, request: Any) -> None:
    folder = DiffusionFolder.locate(str(request.getfixturevalue(model)))
    assert_equal_latents(own_latents(folder, scheduler, 0.0), stock_latents(folder, scheduler, 0.0))


@pytest.mark.parametrize("scheduler", sorted(set(SCHEDULERS) - {"ddim", "dpm++", "euler"}))
def test_every_scheduler_equals_the_stock_pipelines(scheduler: str, sd15_model: Path) -> None:
    folder = DiffusionFolder.locate(str(sd15_model))
    assert_equal_latents(own_latents(folder, scheduler, 0.0), stock_latents(folder, scheduler, 0.0))


def test_rescaled_guidance_equals_the_stock_pipelines(embedded_model: Path) -> None:
    folder = DiffusionFolder.locate(str(embedded_model))
    assert_equal_latents(own_latents(folder, None, 0.7), stock_latents(folder, None, 0.7))


@pytest.mark.parametrize("model", MODELS)
def test_prompt_to_picture_equals_the_stock_pipelines(model: str, request: Any) -> None:
    """With texts padded as in the stock pipelines, from the words to the pixels."""
    path: Path = request.getfixturevalue(model)
    folder = DiffusionFolder.locate(str(path))
    stock = stock_pipeline(folder)
    # The stock pipelines show a BERT encoder its padding; here the same embeddings go into both.
    texts = ["red apple", "cat"]
    generator = StableDiffusionGenerator(
        model=str(path), device="cpu", steps=STEPS, guidance=GUIDANCE, guidance_rescale=0.0, padding=True
    )
    prompt, negative = generator.text_encoder.encode(texts)
    if model == "embedded_model":
        inputs = {
            "prompt_embeds": stacked([prompt.embeds]),
            "negative_prompt_embeds": stacked([negative.embeds]),
        }
    else:
        inputs = {"prompt": texts[0], "negative_prompt": texts[1]}
    expected = stock(
        **inputs,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(7),
        output_type="np",
    ).images[0]
    (media,) = generator.generate([GenerationRequest(seed=7, conditioning=prompt, negative=negative)])
    assert isinstance(media, Image)
    assert np.abs(media.pixels - expected * 255).max() <= 1
