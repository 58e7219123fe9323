"""Scenes as pictures, drawn in batches on the device that trains."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recipes.emoji.library import Library
from recipes.emoji.scenes import Scenes
from recipes.emoji.vocabulary import COLOURS

__all__ = ["Pictures"]


class Pictures:
    """Draws scenes of a library: uint8 art on the device, float pictures in [-1, 1] on white out."""

    def __init__(self, library: Library, device: torch.device) -> None:
        rgba = torch.from_numpy(library.rgba).to(device).permute(0, 3, 1, 2).contiguous()
        self.art = rgba
        self.device = device
        self.hues = torch.tensor([0.0, *COLOURS.values()], device=device) / 360

    @torch.no_grad()
    def draw(self, scenes: Scenes) -> Tensor:
        """float32 (n, 3, 128, 128) in [-1, 1]."""
        first = torch.from_numpy(scenes.first).to(self.device).long()
        second = torch.from_numpy(scenes.second).to(self.device).long()
        paint = torch.from_numpy(scenes.paint.astype(np.int64)).to(self.device)
        place = torch.from_numpy(scenes.place).to(self.device)
        back = self._icons(first)
        painted = paint > 0
        if painted.any():
            back[painted] = _repaint(back[painted], self.hues[paint[painted]])
        canvas = torch.ones(len(scenes), 3, *self.art.shape[2:], device=self.device)
        canvas = _over(canvas, _placed(back, place[:, 0]))
        paired = second >= 0
        if paired.any():
            front = _placed(self._icons(second[paired]), place[paired, 1])
            canvas[paired] = _over(canvas[paired], front)
        return canvas * 2 - 1

    def _icons(self, rows: Tensor) -> Tensor:
        """float (n, 4, 128, 128) in [0, 1], premultiplied."""
        icons = self.art[rows].float() / 255
        icons[:, :3] *= icons[:, 3:]
        return icons


def _placed(icons: Tensor, place: Tensor) -> Tensor:
    """Move, scale and mirror; icons that shrink below 0.8 are averaged first so that lines survive."""
    x, y, scale, mirror = place.unbind(1)
    small = scale < 0.8
    if small.any():
        blurred = F.interpolate(F.avg_pool2d(icons[small], 2), scale_factor=2, mode="bilinear")
        icons = icons.clone()
        share = ((0.8 - scale[small]) / 0.3).clamp(0, 1).view(-1, 1, 1, 1)
        icons[small] = icons[small] * (1 - share) + blurred * share
    zero = torch.zeros_like(x)
    theta = torch.stack(
        [
            torch.stack([mirror / scale, zero, -x * mirror / scale], 1),
            torch.stack([zero, 1 / scale, -y / scale], 1),
        ],
        1,
    )
    grid = F.affine_grid(theta, list(icons.shape), align_corners=False)
    return F.grid_sample(icons, grid, align_corners=False)


def _over(canvas: Tensor, icons: Tensor) -> Tensor:
    return canvas * (1 - icons[:, 3:]) + icons[:, :3]


def _repaint(icons: Tensor, hue: Tensor) -> Tensor:
    """Turn every coloured pixel of premultiplied icons to `hue` (n,), keeping its light and shade."""
    alpha = icons[:, 3:].clamp_min(1e-4)
    rgb = icons[:, :3] / alpha
    value = rgb.amax(1, keepdim=True)
    low = rgb.amin(1, keepdim=True)
    saturation = (value - low) / value.clamp_min(1e-4)
    wanted = (0.35 + 0.65 * saturation).clamp(0, 1) * ((saturation - 0.12) / 0.15).clamp(0, 1)
    light = (0.25 + 0.75 * value).clamp(0, 1)
    steps = torch.tensor([5.0, 3.0, 1.0], device=icons.device).view(1, 3, 1, 1)
    k = (steps + hue.view(-1, 1, 1, 1) * 6) % 6
    pure = 1 - torch.minimum(k, 4 - k).clamp(0, 1)
    coloured = light * (1 - wanted * (1 - pure))
    keep = ((saturation - 0.12) / 0.15).clamp(0, 1)
    result = rgb * (1 - keep) + coloured * keep
    return torch.cat([result * icons[:, 3:], icons[:, 3:]], 1)
