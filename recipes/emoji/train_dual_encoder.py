"""Train the dual encoder that scores candidates: a ConvNeXt image tower beside the frozen MiniLM.

`python -m recipes.emoji.train_dual_encoder --data build/emoji --pool build/emoji/pool --out build/emoji/clip`

Contrastive with several positives: a picture fits a text when it shows every concept the text claims.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from recipes.emoji.captions import concepts
from recipes.emoji.library import Library, load_library
from recipes.emoji.pictures import Pictures
from recipes.emoji.pool import CAPTIONS, load_pool
from recipes.emoji.scenes import Scenes
from recipes.emoji.text import MAX_TOKENS, Text
from recipes.loop import Fit, Run, wait_for

__all__ = ["DualEncoder", "main", "shown_concepts"]

TRUNK = "convnext_atto"
WIDTH = 256


class ImageTower(nn.Module):
    """timm trunk and linear head, with the parameter names of open_clip's `TimmModel`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = timm.create_model(TRUNK, num_classes=0)
        self.head = nn.Sequential()
        self.head.add_module("proj", nn.Linear(self.trunk.num_features, WIDTH, bias=False))

    def forward(self, picture: Tensor) -> Tensor:
        """(n, 3, 128, 128) in [-1, 1] to (n, WIDTH)."""
        embedded: Tensor = self.head(self.trunk(picture))
        return embedded


class DualEncoder(nn.Module):
    """The trained half of an open_clip model: `visual`, `text.proj`, `logit_scale`."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = ImageTower()
        hidden = (384 + WIDTH) // 2
        self.text = nn.Module()
        self.text.proj = nn.Sequential(
            nn.Linear(384, hidden, bias=False), nn.GELU(), nn.Linear(hidden, WIDTH, bias=False)
        )
        self.logit_scale = nn.Parameter(torch.tensor(np.log(1 / 0.07), dtype=torch.float32))

    def embed_text(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Frozen hidden states (n, tokens, 384) to (n, WIDTH): mean over the tokens, then the map."""
        weight = mask[..., None].to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        embedded: Tensor = self.text.proj(mean)
        return embedded


def shown_concepts(library: Library, scenes: Scenes) -> np.ndarray:
    """bool (n, concepts): what every scene shows."""
    start = concepts(library)
    shown = np.zeros((len(scenes), start["total"]), bool)
    rows = np.arange(len(scenes))
    shown[rows, start["style"] + library.style[scenes.first]] = True
    shown[rows, start["colour"] + np.where(scenes.paint > 0, scenes.paint, library.colour[scenes.first])] = (
        True
    )
    for at in (scenes.first, scenes.second):
        there = at >= 0
        shown[rows[there], library.name[at[there]]] = True
        shown[rows[there], start["expression"] + library.expression[at[there]]] = True
    shown[:, start["colour"]] = shown[:, start["expression"]] = False
    return shown


def augmented(picture: Tensor) -> Tensor:
    """A little blur, noise, shift and contrast, so that the tower does not learn the renderer's pixels."""
    count = len(picture)
    device = picture.device
    size = torch.randint(72, 129, (1,)).item()
    picture = F.interpolate(picture, size=(int(size),) * 2, mode="bilinear", antialias=True)
    picture = F.interpolate(picture, size=(128, 128), mode="bilinear")
    shift = (torch.rand(count, 2, device=device) - 0.5) * 0.16
    scale = 1 + (torch.rand(count, device=device) - 0.5) * 0.2
    theta = torch.zeros(count, 2, 3, device=device)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = shift
    grid = F.affine_grid(theta, list(picture.shape), align_corners=False)
    picture = F.grid_sample(picture - 1, grid, align_corners=False) + 1
    gain = 1 + (torch.rand(count, 3, 1, 1, device=device) - 0.5) * 0.12
    noise = torch.randn_like(picture) * torch.rand(count, 1, 1, 1, device=device) * 0.06
    return ((picture - 1) * gain + 1 + noise).clamp(-1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--pool", type=Path, default=Path("build/emoji/pool"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/clip"))
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--batch", type=int, default=768)
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    torch.manual_seed(3)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    library = load_library(options.data)
    wait_for(options.pool / "pool.npz")
    pool = load_pool(options.pool)
    pictures = Pictures(library, device)
    text = Text(options.text, device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    shown = torch.from_numpy(shown_concepts(library, pool.scenes))

    model = DualEncoder().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.05)
    run = Run(options.out, options.minutes)
    fit = Fit(model, optimizer, run, rate=options.rate, decay=0.998)
    rng = np.random.default_rng(17 + run.step)

    for step in run.steps():
        rows = rng.integers(0, len(pool), options.batch)
        picture = augmented(pictures.draw(pool.scenes[rows]))
        ids, claims = _one_text_each(pool.ids[rows], pool.claims[rows], rng)
        hidden, mask = text.embed(torch.from_numpy(ids).to(device))
        fits = _fits(shown[torch.from_numpy(rows)].to(device), torch.from_numpy(claims).to(device))
        with torch.autocast(device.type, torch.bfloat16):
            image = model.visual(picture)
            said = model.embed_text(hidden, mask)
        image, said = F.normalize(image.float(), dim=1), F.normalize(said.float(), dim=1)
        logits = model.logit_scale.exp().clamp(max=60) * image @ said.T
        wanted = fits.float()
        loss = -0.5 * (
            (wanted / wanted.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
            + (wanted / wanted.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
        )
        fit.step(loss)
        if step % 100 == 0:
            right = float(fits.gather(1, logits.argmax(1, keepdim=True)).float().mean())
            cosines = image @ said.T
            run.log(
                loss=float(loss),
                right=right,
                fitting=float(cosines[fits].mean()),
                other=float(cosines[~fits].mean()),
                scale=float(model.logit_scale.exp()),
            )
    fit.finish()
    tensors = {key: value.detach().half().contiguous().cpu() for key, value in model.state_dict().items()}
    save_file(tensors, options.out / "dual_encoder.safetensors", metadata={"format": "pt"})
    print({"steps": run.step, "parameters": sum(value.numel() for value in tensors.values())}, flush=True)


def _one_text_each(
    ids: np.ndarray, claims: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """For every scene one part of one caption: ids (n, MAX_TOKENS) and claims (n, CLAIMS)."""
    rows = np.arange(len(ids))
    which = rng.integers(0, CAPTIONS, len(ids))
    part = rng.integers(0, 2, len(ids))
    part = np.where(ids[rows, which, part, 0] > 0, part, 1 - part)
    return ids[rows, which, part], claims[rows, which, part]


def _fits(shown: Tensor, claims: Tensor) -> Tensor:
    """bool (pictures, texts): the picture shows all that the text claims."""
    claimed = torch.zeros(len(claims), shown.shape[1] + 1, device=shown.device)
    claimed.scatter_(1, torch.where(claims >= 0, claims, shown.shape[1]).long(), 1.0)
    claimed = claimed[:, :-1]
    return (shown.float() @ claimed.T) >= claimed.sum(1) - 0.5


assert MAX_TOKENS <= 32, "the open_clip folder states a context of 32 tokens"

if __name__ == "__main__":
    main()
