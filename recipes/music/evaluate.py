"""Measure the generator on held-out prompts, by the judge, beside renderings of the same pieces.

`python -m recipes.music.evaluate --out recipes/music/results`

A prompt is two parts, encoded apart and joined at equal weights: "harp, jazz" and "slow sad music". Every
combination is one that the generator never heard. No candidate is chosen: what is measured is the first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from transformers import SpeechT5HifiGan

from pmg_audioldm import AudioLDMGenerator
from pmg_audioldm.folder import AudioLDMFolder
from pmg_scenarios.background_music.vocabulary import scene_keyword
from pmg_sdk.audio import Audio
from pmg_sdk.conditioning import join
from pmg_sdk.interfaces import GenerationRequest
from recipes.music.compose import Piece
from recipes.music.frechet import frechet
from recipes.music.mel import LogMel
from recipes.music.pieces import ATTRIBUTES, held_out, labels, sampled
from recipes.music.recogniser import Judge
from recipes.music.render import RATE, Renderer

__all__ = ["clip_file", "keywords", "main", "make", "test_pieces", "waveforms"]

_BATCH = 20


def keywords(piece: Piece) -> tuple[str, str]:
    """The preference part and the scene part."""
    return f"{piece.instrument}, {piece.genre}", scene_keyword(piece.mood, piece.tempo)


def test_pieces(count: int) -> list[Piece]:
    """The held-out ones that are measured, in their order; as many as there are cover every combination."""
    return sampled(len(held_out()), seed=101, unseen=True)[:count]


def clip_file(number: int, piece: Piece) -> str:
    """Name of a sound's file."""
    name = "_".join(getattr(piece, attribute).replace(" ", "-") for attribute in ATTRIBUTES)
    return f"{number:03d}_{name}.wav"


def make(generator: AudioLDMGenerator, pieces: Sequence[Piece]) -> list[Audio]:
    """One sound for every piece, with the defaults of the generator."""
    encoder = generator.text_encoder
    texts = sorted({text for piece in pieces for text in keywords(piece)})
    E = dict(zip(texts, encoder.encode(texts), strict=True))
    made: list[Audio] = []
    for at in range(0, len(pieces), _BATCH):
        requests = []
        for number, piece in enumerate(pieces[at : at + _BATCH], start=at):
            liked, scene = keywords(piece)
            requests.append(
                GenerationRequest(seed=number, conditioning=join([(E[liked], 1.0), (E[scene], 1.0)]))
            )
        made += [medium for medium in generator.generate(requests) if isinstance(medium, Audio)]
        print(f"{len(made)} of {len(pieces)}", flush=True)
    return made


def waveforms(sounds: Sequence[Audio]) -> np.ndarray:
    """float32 (n, length), of sounds equally long at 16 kHz."""
    return np.concatenate([sound.waveform for sound in sounds])


@torch.no_grad()
def again(model: AudioLDMFolder, clips: np.ndarray) -> np.ndarray:
    """Clips through autoencoder and vocoder: as well as the generator could sound."""
    vae = AutoencoderKL.from_pretrained(model.files.path / "vae").float().eval()
    vocoder = model.griffin_lim or SpeechT5HifiGan.from_pretrained(model.files.path / "vocoder").eval()
    log_mel = LogMel()
    made = []
    for part in torch.from_numpy(clips).split(_BATCH):
        mel = vae.decode(vae.encode(log_mel(part)[:, None]).latent_dist.mean).sample[:, 0]
        made.append(vocoder(mel))
    return torch.cat(made).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=Path("build/music/FluidR3Mono_GM.sf3"))
    parser.add_argument("--model", default="pmg:music-diffusion")
    parser.add_argument("--judge", type=Path, default=Path("recipes/music/judge/recogniser.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("recipes/music/results"))
    parser.add_argument("--clips", type=Path, help="folder to keep the sounds in")
    parser.add_argument("--count", type=int, default=330, help=f"of {len(held_out())} combinations, spread")
    options = parser.parse_args()
    pieces = test_pieces(options.count)
    wanted = labels(pieces)
    generator = AudioLDMGenerator(model=options.model)
    made = make(generator, pieces)
    if options.clips:
        for number, (piece, sound) in enumerate(zip(pieces, made, strict=True)):
            sound.save(options.clips / clip_file(number, piece))
    length = made[0].samples.shape[1]
    render, judge = Renderer(options.font), Judge(options.judge)
    real = np.stack([render(piece) for piece in pieces])
    others = np.stack([render(piece) for piece in sampled(options.count, seed=102, unseen=True)])[:, :length]
    through = again(AudioLDMFolder.locate(options.model), real)[:, :length]
    real = real[:, :length]
    sets = {"generated": waveforms(made), "rendered": real, "autoencoded": through}
    features = {name: judge.hear(clips)[1] for name, clips in sets.items()}
    _, other_features = judge.hear(others)
    report = {
        "clips": len(pieces),
        "rate": RATE,
        "steps": generator.spec.steps,
        "guidance": generator.spec.guidance,
        "right": {name: judge.accuracy(clips, wanted) for name, clips in sets.items()},
        "frechet": {name: round(frechet(found, other_features), 4) for name, found in features.items()},
    }
    print(json.dumps(report, indent=2))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
