"""Training speed of soft preference embeddings, against a plain loop on the same hardware, in one run.

`python benchmarks/soft_training.py --examples build/emoji/examples --population build/emoji/population`

The plain loop is what one would write first: every step reads and encodes the pictures, encodes the keywords,
tokenises the prompts, and runs LLM and UNet in float32 with the libraries' plain attention, one autograd
graph from the loss to the tokens. Ours reads prepared examples, keeps latents, keyword embeddings and token
ids, and runs LLM and UNet in bfloat16 with fused attention; the gradient crosses between them as numpy. Both
take the same users, noises and conditions in the same order, from the same first values: their losses can be
compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pmg_diffusion.noise import noises
from pmg_sdk.pipeline import PMGPipeline
from pmg_sdk.training import ExampleFolder, UserFile, split
from pmg_transformers.soft_preference.batches import Drawn, train_batch
from pmg_transformers.soft_preference.recipe import Recipe
from pmg_transformers.soft_preference.soft_tokens import Shape, SoftTokens, prompt_ids, prompt_rows
from pmg_transformers.soft_preference.trainer import Trainer, parameter_groups

LLM = "pmg:smollm2-135m-instruct"


class PlainLoop:
    """The straightforward way, step by step."""

    def __init__(self, options: argparse.Namespace, recipe: Recipe, like: SoftTokens, device: str) -> None:
        from diffusers import DDPMScheduler

        from pmg_transformers.causal_model import read_causal_model
        from pmg_transformers.shared_model import SharedModel

        self.recipe, self.device, self.examples = (
            recipe,
            device,
            ExampleFolder(options.examples).read("train"),
        )
        self.users = {user: place for place, user in enumerate(_ids(options.population / "train.jsonl"))}
        self.file = UserFile(options.population / "train.jsonl")
        self.generator: Any = _generator("float32")
        model, tokenizer = read_causal_model(LLM, device=device, dtype="float32")
        model.set_attn_implementation("eager")
        self.llm = SharedModel(model.requires_grad_(False), tokenizer)
        self.shape = Shape(recipe.tokens, recipe.prefix, like.shape.width)
        self.soft = SoftTokens(model, self.shape, seed=recipe.seed).to(device)
        self.soft.set_values(like.values())
        self.optimizer = torch.optim.AdamW(parameter_groups(self.soft, recipe), betas=(0.9, 0.99))
        loss = self.generator._loss
        self.unet = loss.model.unet
        self.unet.set_default_attn_processor()
        kind: Any = DDPMScheduler
        self.schedule = kind.from_config(dict(loss.scheduler_config))
        self.step = 0

    def train_step(self) -> float:
        """One step; returns its loss."""
        recipe, device = self.recipe, self.device
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * recipe.rate_at(self.step)
        drawn = train_batch(recipe, self.step, len(self.examples))
        chosen = [self.examples[each.place] for each in drawn]
        pictures = [split(self.file[self.users[one.id]].behavior, "image").medium for one in chosen]
        x0 = torch.from_numpy(np.stack(self.generator.training_targets(pictures))).to(device)
        rows = [prompt_ids(one.prompt, self.llm, self.shape) for one in chosen]
        E_m = self.soft(*prompt_rows(rows, device=device))
        E_k, told_k = self._keywords(chosen, drawn)
        E_p = torch.cat([E_m, E_k.to(device)], 1)
        told = torch.cat([torch.ones(len(chosen), recipe.tokens, dtype=torch.bool), told_k], 1).to(device)
        t, noise = noises([each.seed for each in drawn], x0.shape[1:], recipe.draws, 1000)
        t, noise = t.to(device), noise.to(device)
        x0 = x0.repeat_interleave(recipe.draws, 0)
        noisy = self.schedule.add_noise(x0, noise, t)
        wanted = self.schedule.get_velocity(x0, noise, t)
        guess = self.unet(
            noisy,
            t,
            encoder_hidden_states=E_p.repeat_interleave(recipe.draws, 0),
            encoder_attention_mask=told.repeat_interleave(recipe.draws, 0),
        ).sample
        loss = (guess - wanted).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([value for _, value in self.soft.trained()], 1.0)
        self.optimizer.step()
        self.step += 1
        return loss.item()

    def _keywords(self, chosen: Sequence[Any], drawn: Sequence[Drawn]) -> tuple[torch.Tensor, torch.Tensor]:
        encoder, parts = self.generator.text_encoder, []
        for one, each in zip(chosen, drawn, strict=True):
            texts = [one.preference.text] * each.with_preference + [one.target.text] * each.with_target
            encoded = [torch.from_numpy(part.embeds) for part in encoder.encode([t for t in texts if t])]
            parts.append(torch.cat([torch.zeros(0, self.shape.width), *encoded]))
        told = torch.arange(max(map(len, parts))) < torch.tensor([len(part) for part in parts])[:, None]
        return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True), told


def _ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def _generator(dtype: str) -> Any:
    options = {"model": "pmg:emoji-diffusion", "dtype": dtype}
    pipeline = PMGPipeline.from_scenario(
        "emoticons", generator={"adapter": "stable-diffusion", "options": options}
    )
    return pipeline.roles.generator


def _seconds(step: Callable[[], float], steps: int) -> tuple[list[float], list[float]]:
    times, losses = [], []
    for _ in range(steps):
        begun = time.perf_counter()
        losses.append(step())
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begun)
    return times, losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--examples", type=Path, default=Path("build/emoji/examples"))
    parser.add_argument("--population", type=Path, default=Path("build/emoji/population"))
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warmup", type=int, default=5, help="steps before the clock counts")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    cuda = torch.cuda.is_available()
    rows = []
    for draws in options.draws:
        recipe = Recipe(batch=options.batch, draws=draws, decay=0.0, steps=1000)
        with tempfile.TemporaryDirectory() as folder:
            ours = Trainer(
                ExampleFolder(options.examples),
                Path(folder),
                llm=LLM,
                generator=_generator("bfloat16" if cuda else "float32"),
                recipe=recipe,
            )
            plain = PlainLoop(options, recipe, ours.soft, "cuda" if cuda else "cpu")
            total = options.warmup + options.steps
            fast, our_losses = _seconds(ours.train_step, total)
            slow, plain_losses = _seconds(plain.train_step, total)
        ours_s, plain_s = (statistics.median(times[options.warmup :]) for times in (fast, slow))
        gap = float(np.mean(np.abs(np.array(our_losses) / np.array(plain_losses) - 1)))
        rows.append(
            {
                "draws": draws,
                "batch": options.batch,
                "ours_users_per_second": options.batch / ours_s,
                "plain_users_per_second": options.batch / plain_s,
                "ratio": plain_s / ours_s,
                "mean_relative_difference_of_losses": gap,
                "last_losses": [our_losses[-1], plain_losses[-1]],
            }
        )
        print(json.dumps(rows[-1], indent=1), flush=True)
    device = torch.cuda.get_device_name() if cuda else "CPU"
    if options.out:
        options.out.write_text(json.dumps({"device": device, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
