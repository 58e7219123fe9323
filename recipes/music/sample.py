"""Make clips of known combinations with unfinished parts, and let the judge name what they are.

`python -m recipes.music.sample --runs build/music --out build/music/samples`
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import ClapModel, SpeechT5HifiGan

from pmg_audioldm.griffin_lim import GriffinLim
from pmg_audioldm.log_mel import LogMel as AdapterLogMel
from pmg_audioldm.log_mel import MelSettings
from pmg_scenarios.background_music.vocabulary import scene_keyword
from pmg_sdk.audio import Audio
from recipes.music.compose import Piece
from recipes.music.dual_encoder import embed_texts, text_ids
from recipes.music.export import MEL, best_vae, has_vocoder
from recipes.music.mel import HOP, MELS, LogMel
from recipes.music.pieces import ATTRIBUTES, labels, sampled
from recipes.music.recogniser import Judge
from recipes.music.render import RATE, Renderer
from recipes.schedule import make_schedule

__all__ = ["Parts", "main"]


class Parts:
    """Everything that makes sound out of text, on one device."""

    def __init__(self, runs: Path, minilm: Path, device: torch.device) -> None:
        self.device, self.minilm = device, minilm
        self.vae = AutoencoderKL.from_pretrained(best_vae(runs)).eval().to(device)
        self.unet = UNet2DConditionModel.from_pretrained(runs / "unet").float().eval().to(device)
        self.vocoder: Callable[[Tensor], Tensor] = GriffinLim(
            AdapterLogMel(MelSettings.model_validate(MEL), RATE, HOP, MELS)
        )
        if has_vocoder(runs):
            self.vocoder = SpeechT5HifiGan.from_pretrained(runs / "vocoder").eval().to(device)
        self.log_mel = LogMel().to(device)
        self.clap = ClapModel.from_pretrained(runs / "clap").eval().to(device)

    def vectors(self, texts: list[str]) -> Tensor:
        return embed_texts(self.clap, text_ids(self.minilm, texts).to(self.device))

    @torch.no_grad()
    def make(
        self, pieces: list[Piece], *, steps: int, guidance: float, rescale: float = 0.0, seed: int = 0
    ) -> Tensor:
        """Waveforms (n, length)."""
        e_p = self.vectors([f"{piece.instrument}, {piece.genre}" for piece in pieces])
        e_t = self.vectors([scene_keyword(piece.mood, piece.tempo) for piece in pieces])
        c, empty = F.normalize(e_p + e_t, dim=1), self.vectors([""])
        scheduler = DPMSolverMultistepScheduler.from_config(
            make_schedule().config, algorithm_type="dpmsolver++", final_sigmas_type="zero"
        )
        found = []
        generator = torch.Generator().manual_seed(seed)
        for part in c.split(128):
            scheduler.set_timesteps(steps, device=self.device)
            shape = (len(part), *(self.unet.config["in_channels"], *self.unet.config["sample_size"]))
            x = torch.randn(shape, generator=generator).to(self.device)
            both = torch.cat([empty.expand_as(part), part])
            for t in scheduler.timesteps:
                eps = self.unet(torch.cat([x, x]), t, encoder_hidden_states=None, class_labels=both).sample
                without, with_text = eps.chunk(2)
                guided = without + guidance * (with_text - without)
                if rescale:
                    ratio = with_text.std((1, 2, 3), keepdim=True) / guided.std((1, 2, 3), keepdim=True)
                    guided = guided * (rescale * ratio + 1 - rescale)
                x = scheduler.step(guided, t, x).prev_sample
            mel = self.vae.decode(x / self.vae.config["scaling_factor"]).sample[:, 0]
            found.append(self.vocoder(mel))
        return torch.cat(found)

    @torch.no_grad()
    def again(self, waveforms: Tensor) -> Tensor:
        """Waveforms through autoencoder and vocoder: the best the generator could sound."""
        mel = self.log_mel(waveforms)[:, None]
        return self.vocoder(self.vae.decode(self.vae.encode(mel).latent_dist.mean).sample[:, 0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("build/music"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/music/samples"))
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--files", type=int, default=12, help="clips to write")
    parser.add_argument("--steps", type=int, nargs="+", default=[10])
    parser.add_argument("--guidance", type=float, nargs="+", default=[2.0])
    parser.add_argument("--font", type=Path, help="sound font: judge its renderings of the same pieces too")
    parser.add_argument("--rescale", type=float, default=0.0)
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    parts = Parts(options.runs, options.text, device)
    pieces = sampled(options.count, seed=9, unseen=False)
    judge_file = options.runs / "recogniser" / "recogniser.safetensors"
    judge = Judge(judge_file, device) if judge_file.exists() else None
    options.out.mkdir(parents=True, exist_ok=True)
    if judge and options.font:
        render = Renderer(options.font)
        real = torch.from_numpy(np.stack([render(piece) for piece in pieces])).to(device)
        print(json.dumps({"rendered": judge.accuracy(real, labels(pieces))}), flush=True)
        again = torch.cat([parts.again(part) for part in real.split(128)])
        print(
            json.dumps({"through autoencoder and vocoder": judge.accuracy(again, labels(pieces))}), flush=True
        )
        for number in range(min(options.files, 6)):
            Audio.from_waveform(real[number].cpu().numpy(), RATE).save(options.out / f"real{number}.wav")
            Audio.from_waveform(again[number].cpu().numpy(), RATE).save(options.out / f"again{number}.wav")
    for steps in options.steps:
        for guidance in options.guidance:
            waveforms = parts.make(pieces, steps=steps, guidance=guidance, rescale=options.rescale)
            found = judge.accuracy(waveforms, labels(pieces)) if judge else {}
            print(json.dumps({"steps": steps, "guidance": guidance, **found}), flush=True)
    for number, piece in enumerate(pieces[: options.files]):
        name = "_".join(getattr(piece, attribute).replace(" ", "-") for attribute in ATTRIBUTES)
        Audio.from_waveform(waveforms[number].cpu().numpy(), RATE).save(
            options.out / f"{number:02d}_{name}.wav"
        )


if __name__ == "__main__":
    main()
