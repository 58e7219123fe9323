"""Train the vocoder: log-mel spectrograms to sound, a small HiFi-GAN in transformers' format.

`python -m recipes.music.train_vocoder --corpus build/music/corpus --vae build/music/vae
--out build/music/vocoder --minutes 10`

Once the autoencoder is there, half of the spectrograms come through it: that is what it will be given. With
`--alone 1` there are no discriminators: on a CPU they would take three quarters of the time.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from recipes.loop import Average, Run, cosine
from recipes.music.corpus import floats, load_corpus
from recipes.music.discriminators import Discriminators
from recipes.music.latents import load_latents
from recipes.music.mel import HOP, MELS, N_FFT, LogMel
from recipes.music.render import RATE

__all__ = ["main", "make_vocoder"]

FRAMES = 32
"""Of a training segment, half a second: many small steps teach a vocoder more than few large ones."""
UNSURE = 0.1
"""Noise on the latents that spectrograms come through, at unit variance: the generator's are not exact."""
_FFTS = ((512, 128), (1024, 256), (2048, 512), (4096, 1024))


def make_vocoder(mel: Tensor | None = None) -> SpeechT5HifiGan:
    """0.6 M parameters.

    Args:
        mel: spectrograms (B, frames, MELS) whose statistics normalise its input.
    """
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=MELS,
            sampling_rate=RATE,
            upsample_initial_channel=128,
            upsample_rates=[8, 8, 4],
            upsample_kernel_sizes=[16, 16, 8],
            resblock_kernel_sizes=[3, 7],
            resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5]],
            normalize_before=True,
        )
    )
    if mel is not None:
        vocoder.mean.copy_(mel.mean((0, 1)))
        vocoder.scale.copy_(mel.std((0, 1)))
    return vocoder


class _Spectra(nn.Module):
    """How far two sounds' spectra are apart, at four resolutions: logarithms and magnitudes."""

    def __init__(self) -> None:
        super().__init__()
        for n_fft, _ in _FFTS:
            self.register_buffer(f"window{n_fft}", torch.hann_window(n_fft), persistent=False)

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        total = made.new_zeros(())
        for n_fft, hop in _FFTS:
            window = getattr(self, f"window{n_fft}")
            a, b = (
                torch.stft(x, n_fft, hop, window=window, return_complex=True).abs().clamp_min(1e-5)
                for x in (made, real)
            )
            total = total + (a.log() - b.log()).abs().mean() + (a - b).norm() / b.norm()
        return total / len(_FFTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--vae", type=Path, default=Path("build/music/vae"))
    parser.add_argument("--out", type=Path, default=Path("build/music/vocoder"))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--alone", type=float, default=0.1, help="share of the time without discriminators")
    parser.add_argument(
        "--through", type=int, default=6000, help="clips that also come through the autoencoder"
    )
    parser.add_argument("--weights", type=Path, help="folder of a trained vocoder to go on from")
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clips, _ = load_corpus(options.corpus, "train")
    waveforms = torch.from_numpy(np.array(clips)).to(device)
    whole_frames = waveforms.shape[1] // HOP
    log_mel, spectra = LogMel().to(device), _Spectra().to(device)
    if options.weights:
        vocoder = SpeechT5HifiGan.from_pretrained(options.weights).to(device)
        vocoder.train()
    else:
        vocoder = make_vocoder(log_mel(floats(waveforms[:512])).cpu()).to(device)
    vocoder.apply_weight_norm()
    judges = Discriminators().to(device)
    learns = torch.optim.AdamW(vocoder.parameters(), lr=options.rate, betas=(0.8, 0.99), weight_decay=0.01)
    doubts = torch.optim.AdamW(judges.parameters(), lr=options.rate, betas=(0.8, 0.99), weight_decay=0.01)
    average = Average(vocoder, 0.999)
    run = Run(options.out, options.minutes)
    if state := run.resume():
        vocoder.load_state_dict(state["module"])
        judges.load_state_dict(state["judges"])
        learns.load_state_dict(state["learns"])
        doubts.load_state_dict(state["doubts"])
        average.values = [value.to(device) for value in state["average"]]
        average.steps = run.step
    through: Tensor | None = None

    def save() -> None:
        run.checkpoint(
            {
                "module": vocoder.state_dict(),
                "judges": judges.state_dict(),
                "learns": learns.state_dict(),
                "doubts": doubts.state_dict(),
                "average": average.values,
            }
        )

    for step in run.steps():
        if through is None and step % 50 == 0 and (options.vae / "latents.pt").exists():
            through = _through(options.corpus, options.vae, options.through, device)
        rows = torch.randint(len(waveforms), (options.batch,), device=device)
        half = options.batch // 2 if through is not None else 0
        if through is not None:
            rows[:half] = torch.randint(len(through), (half,), device=device)
        with torch.no_grad():
            first = int(torch.randint(0, whole_frames - FRAMES + 1, ()))
            real = floats(waveforms[rows, first * HOP : (first + FRAMES) * HOP])
            mel = _segment(log_mel, waveforms[rows], first)
            if through is not None:
                mel = torch.cat([through[rows[:half], first : first + FRAMES].float(), mel[half:]])
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cpu"):
            made = vocoder(mel)
        made = made.float()
        for optimizer in (learns, doubts):
            for group in optimizer.param_groups:
                group["lr"] = cosine(run.done, options.rate)
        loss = spectra(made, real) + (log_mel(made) - log_mel(real)).abs().mean()
        if run.done > options.alone or options.weights:
            with torch.autocast(device.type, torch.bfloat16):
                on_real, on_made = judges(real), judges(made.detach())
            doubt = sum(
                (1 - a.float()).square().mean() + b.float().square().mean()
                for (a, _), (b, _) in zip(on_real, on_made, strict=True)
            )
            doubts.zero_grad(set_to_none=True)
            doubt.backward()
            nn.utils.clip_grad_norm_(judges.parameters(), 10.0)
            doubts.step()
            judges.requires_grad_(False)
            with torch.autocast(device.type, torch.bfloat16):
                on_made = judges(made)
            fooled = sum((1 - b.float()).square().mean() for b, _ in on_made) / len(on_made)
            alike = sum(
                F.l1_loss(b.float(), a.detach().float())
                for (_, real_features), (_, features) in zip(on_real, on_made, strict=True)
                for a, b in zip(real_features, features, strict=True)
            ) / len(on_made)
            judges.requires_grad_(True)
            loss = 3 * loss + fooled + alike
        learns.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(vocoder.parameters(), 10.0)
        learns.step()
        average.update()
        if step % 100 == 0:
            with torch.no_grad():
                run.log(loss=float(loss), spectra=float(spectra(made, real)))
        if run.due:
            save()
    save()
    average.copy_to(vocoder)
    for module in vocoder.modules():
        if is_parametrized(module, "weight"):
            remove_parametrizations(module, "weight")
    vocoder.eval()
    vocoder.save_pretrained(options.out)
    measured = {"steps": run.step, **_measure(vocoder, log_mel, options, device)}
    (options.out / "measured.json").write_text(json.dumps(measured))
    print(measured, flush=True)


def _segment(log_mel: LogMel, clips: Tensor, first: int) -> Tensor:
    """Spectrograms (B, FRAMES, MELS) of frames `first` on, of no more sound than they are made of."""
    around = N_FFT // HOP  # on either side, more than a window reaches
    start = max(first - around, 0)
    some = floats(clips[:, start * HOP : (first + FRAMES + around) * HOP])
    return log_mel(some)[:, first - start : first - start + FRAMES]


@torch.no_grad()
def _through(corpus: Path, folder: Path, count: int, device: torch.device) -> Tensor:
    """Spectrograms of the corpus's first clips as a generator's autoencoder gives them, float16."""
    latents = load_latents(corpus, folder, device)[:count].float()
    vae = AutoencoderKL.from_pretrained(folder).eval().to(device)
    found = []
    for part in latents.split(32):
        unsure = part + UNSURE * torch.randn_like(part)
        with torch.autocast(device.type, torch.bfloat16):
            found.append(vae.decode(unsure / vae.config["scaling_factor"]).sample[:, 0].half())
    return torch.cat(found)


@torch.no_grad()
def _measure(
    vocoder: SpeechT5HifiGan, log_mel: LogMel, options: argparse.Namespace, device: torch.device
) -> dict[str, float]:
    """Mean error in log-mel of held-out clips, as they are and through the autoencoder."""
    clips, _ = load_corpus(options.corpus, "unseen")
    vae = None
    if (options.vae / "measured.json").exists():
        vae = AutoencoderKL.from_pretrained(options.vae).eval().to(device)
    plain, through = [], []
    for at in range(0, len(clips), 32):
        mel = log_mel(floats(clips[at : at + 32], device))
        plain.append((log_mel(vocoder(mel)) - mel).abs().mean())
        if vae is not None:
            again = vae.decode(vae.encode(mel[:, None]).latent_dist.mean).sample[:, 0]
            through.append((log_mel(vocoder(again)) - mel).abs().mean())
    found = {"error": float(torch.stack(plain).mean())}
    return found | ({"error_through_vae": float(torch.stack(through).mean())} if through else {})


if __name__ == "__main__":
    main()
