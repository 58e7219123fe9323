"""An image tower of torch, to be exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmg_onnx.export.duals import TorchMedia
from pmg_onnx.export.probes import pictures
from pmg_onnx.picture import as_input
from pmg_onnx.record import ImageTower, Pixels

if TYPE_CHECKING:
    import torch

__all__ = ["image_tower"]


def image_tower(module: torch.nn.Module, pixels: Pixels) -> TorchMedia:
    """`module` takes pixels that were prepared as `pixels` says, and gives unit rows."""
    import torch

    height, width = pixels.crop or pixels.size
    return TorchMedia(
        tower=ImageTower(graph="image.onnx", pixels=pixels),
        module=module,
        inputs={"pixels": torch.randn((2, 3, height, width), generator=torch.Generator())},
        examples=lambda: [{"pixels": as_input(each.to_pil(), pixels)[None]} for each in pictures(seed=1)],
        probes=pictures(),
    )
