"""The judge: a small ResNet that names what a picture shows. It has no part in training or choosing.

Four answers for every picture: name scores (several may be shown), style, expression, colour.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from recipes.emoji.vocabulary import COLOURS, EXPRESSIONS, STYLES

__all__ = ["Recogniser", "load_recogniser"]


class _Block(nn.Module):
    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(out)
        self.second = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(out)
        self.skip = nn.Conv2d(width, out, 1, stride) if (width, stride) != (out, 1) else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.skip(x))


class Recogniser(nn.Module):
    """ResNet for 128 px pictures in [-1, 1].

    Args:
        names: how many icon names it tells apart.
    """

    def __init__(self, names: int) -> None:
        super().__init__()
        widths = (32, 48, 80, 128, 192)
        self.stem = nn.Conv2d(3, widths[0], 5, 2, 2)
        blocks: list[nn.Module] = []
        width = widths[0]
        for level, out in enumerate(widths):
            blocks += [_Block(width, out, 1 if level == 0 else 2), _Block(out, out, 1)]
            width = out
        self.blocks = nn.Sequential(*blocks)
        self.name = nn.Linear(2 * width, names)
        # How an icon is drawn shows in its edges and shades, whatever it shows: the earlier levels see that.
        self.style = nn.Linear(2 * sum(widths), len(STYLES))
        self.expression = nn.Linear(2 * width, len(EXPRESSIONS) + 1)
        self.colour = nn.Linear(2 * width, len(COLOURS) + 1)

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Logits: name (n, names), style (n, 5), expression (n, 15) and colour (n, 8) with 0 = none."""
        x = F.relu(self.stem(picture))
        levels = []
        for block in self.blocks:
            x = block(x)
            levels.append(torch.cat([x.mean((2, 3)), x.std((2, 3))], 1))
        pooled = F.dropout(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), 0.1, self.training)
        drawn = F.dropout(torch.cat(levels[1::2], 1), 0.1, self.training)
        return {
            "name": self.name(pooled),
            "style": self.style(drawn),
            "expression": self.expression(pooled),
            "colour": self.colour(pooled),
        }


def load_recogniser(path: Path) -> Recogniser:
    """The trained judge, in float32 on the CPU."""
    stored = {key: value.float() for key, value in load_file(path).items()}
    stored = {
        key: value.long() if key.endswith("num_batches_tracked") else value for key, value in stored.items()
    }
    model = Recogniser(stored["name.weight"].shape[0])
    model.load_state_dict(stored)
    return model.eval()
