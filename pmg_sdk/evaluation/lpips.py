"""Learned perceptual image patch similarity (Zhang et al. 2018), version 0.1."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from pmg_sdk.accelerator import choose_device, in_batches
from pmg_sdk.errors import ConfigError, MissingExtra, ModelFolderError
from pmg_sdk.evaluation.pairs import check_pairs
from pmg_sdk.media import Image

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["LPIPS_SETTINGS", "lpips"]

Net = Literal["alex", "vgg"]
Weights = dict[str, "torch.Tensor"]

ASSETS = {"alex": "pmg:lpips-alexnet", "vgg": "pmg:lpips-vgg16"}
SMALLEST = {"alex": 35, "vgg": 16}

LPIPS_SETTINGS = {
    "alex": "LPIPS 0.1, AlexNet, RGB at the images' own size",
    "vgg": "LPIPS 0.1, VGG16, RGB at the images' own size",
}
"""To be printed beside every figure: values of different nets or sizes are not comparable."""

# What the authors' networks expect: pixels in [-1, 1], shifted and scaled as ImageNet's.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)

# (layer of torchvision's features, stride, padding); None is a max pooling. Taps follow marked layers.
ALEXNET = ((0, 4, 2), None, (3, 1, 2), None, (6, 1, 1), (8, 1, 1), (10, 1, 1))
ALEXNET_TAPS = frozenset({0, 3, 6, 8, 10})
VGG16 = tuple(
    None if index is None else (index, 1, 1)
    for index in (0, 2, None, 5, 7, None, 10, 12, 14, None, 17, 19, 21, None, 24, 26, 28)
)
VGG16_TAPS = frozenset({2, 7, 14, 21, 28})
LAYERS = {"alex": (ALEXNET, ALEXNET_TAPS, 3), "vgg": (VGG16, VGG16_TAPS, 2)}


def lpips(
    a: Sequence[Image],
    b: Sequence[Image],
    net: Net = "alex",
    *,
    weights: str | None = None,
    device: str = "auto",
    batch_size: int = 16,
) -> NDArray[np.float32]:
    """Perceptual distance of every pair: 0 for equal images, around 0.5 to 0.7 for unrelated ones.

    Pairs may differ in size from each other.

    Args:
        net: "alex" (the usual choice for reports) or "vgg".
        weights: a safetensors file or a folder with `model.safetensors`: torchvision's
            `features.N.weight/bias` and the heads `lin0.weight` to `lin4.weight`; by default the
            published asset.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most pairs at once; halved where memory runs out.

    Returns:
        Float32, shape (n,).

    Raises:
        InputError: the images do not pair up, or are too small for the net.
        AssetError, ModelFolderError: the weights cannot be had or are not this net's.
        MissingExtra: torch is not installed.
    """
    if net not in LAYERS:
        raise ConfigError(f'net: expected "alex" or "vgg"; got {net!r}')
    check_pairs(a, b, smallest=SMALLEST[net])
    if not a:
        return np.zeros(0, dtype=np.float32)
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("LPIPS needs torch: pip install 'pmg-sdk[eval]'") from error
    from pmg_sdk.assets import resolve_model

    loaded = _weights(resolve_model(weights or ASSETS[net]), net, choose_device(device))
    values: list[float] = []
    with torch.inference_mode():
        for _, group in groupby(zip(a, b, strict=True), key=lambda pair: pair[0].size):
            values += in_batches(list(group), lambda pairs: _distances(pairs, net, loaded), limit=batch_size)
    return np.array(values, dtype=np.float32)


def _distances(pairs: Sequence[tuple[Image, Image]], net: Net, weights: Weights) -> list[float]:
    """Equation 1 of the paper: squared differences of unit features, weighted, averaged over space."""
    import torch

    features_a, features_b = (
        _features(_input([pair[side] for pair in pairs], weights), net, weights) for side in (0, 1)
    )
    distance = torch.zeros(len(pairs), device=features_a[0].device)
    for index, (x, y) in enumerate(zip(features_a, features_b, strict=True)):
        weighted = torch.nn.functional.conv2d((_unit(x) - _unit(y)) ** 2, weights[f"lin{index}.weight"])
        distance += weighted.mean(dim=(1, 2, 3))
    return [float(value) for value in distance.cpu()]


def _features(x: torch.Tensor, net: Net, weights: Weights) -> list[torch.Tensor]:
    from torch.nn.functional import conv2d, max_pool2d

    layers, taps, pooling = LAYERS[net]
    features = []
    for layer in layers:
        if layer is None:
            x = max_pool2d(x, kernel_size=pooling, stride=2)
            continue
        index, stride, padding = layer
        kernel, bias = weights[f"features.{index}.weight"], weights[f"features.{index}.bias"]
        x = conv2d(x, kernel, bias, stride=stride, padding=padding).relu()
        if index in taps:
            features.append(x)
    return features


def _unit(x: torch.Tensor) -> torch.Tensor:
    return x / (x.pow(2).sum(dim=1, keepdim=True).sqrt() + 1e-10)


def _input(images: Sequence[Image], weights: Weights) -> torch.Tensor:
    import torch

    pixels = torch.from_numpy(np.stack([image.pixels for image in images])).permute(0, 3, 1, 2)
    signed = pixels.to(weights["lin0.weight"].device).float() / 127.5 - 1
    shift, scale = (torch.tensor(v, device=signed.device).view(1, 3, 1, 1) for v in (SHIFT, SCALE))
    return (signed - shift) / scale


@functools.lru_cache(maxsize=2)
def _weights(place: str, net: Net, device: str) -> Weights:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(place).expanduser()
    path = path / "model.safetensors" if path.is_dir() else path
    layers, _, _ = LAYERS[net]
    needed = [f"features.{layer[0]}.{part}" for layer in layers if layer for part in ("weight", "bias")]
    needed += [f"lin{index}.weight" for index in range(5)]
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelFolderError(f"LPIPS weights in safetensors were expected at {path}; {error}") from error
    missing = [name for name in needed if name not in found]
    if missing:
        raise ModelFolderError(
            f"LPIPS weights for {net!r} were expected in {path}; it lacks {', '.join(missing[:3])}"
        )
    return {name: found[name].float().to(device) for name in needed}
