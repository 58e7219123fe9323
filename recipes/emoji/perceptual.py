"""Distance of VGG16 features, a training loss; the autoencoder is measured with another network (AlexNet)."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

__all__ = ["FeatureDistance"]

WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256)
"""Convolutions of VGG16 up to relu3_3; 0 is a pooling layer."""


class FeatureDistance(nn.Module):
    """Mean absolute difference of unit-normalised features at the ends of the first three blocks.

    Args:
        path: safetensors with torchvision's names (`features.N.weight`).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for out in WIDTHS:
            layers += [nn.MaxPool2d(2)] if out == 0 else [nn.Conv2d(width, out, 3, padding=1), nn.ReLU()]
            width = out or width
        self.features = nn.Sequential(*layers)
        stored = {k: v.float() for k, v in load_file(path).items()}
        self.load_state_dict({k: v for k, v in stored.items() if k in self.state_dict()}, strict=True)
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Scalar distance of two batches (n, 3, h, w) in [-1, 1]."""
        x = ((torch.cat([one, other.to(one.dtype)]) + 1) / 2 - self.mean) / self.std
        total = x.new_zeros(())
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in (3, 8, 15):
                unit = F.normalize(x.float(), dim=1, eps=1e-4)
                a, b = unit.chunk(2)
                total = total + (a - b).square().sum(1).mean()
        return total
