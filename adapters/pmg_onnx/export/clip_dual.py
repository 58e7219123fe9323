"""transformers' CLIP, to be exported."""

from __future__ import annotations

from functools import partial
from typing import Any

from pmg_onnx.export.duals import TEXT, TOKENIZER, TorchDual
from pmg_onnx.export.image_tower import image_tower
from pmg_onnx.export.tokenizer_file import write_tokenizer
from pmg_onnx.record import Pixels, TextTower
from pmg_onnx.resample import KERNELS
from pmg_sdk.errors import ModelFolderError
from pmg_transformers.clip import ClipScorer
from pmg_transformers.model_folder import ModelFolder

__all__ = ["clip_dual"]


def clip_dual(folder: ModelFolder) -> TorchDual:
    """The CLIP in `folder`.

    Raises:
        ModelFolderError: files are missing or damaged, or its pictures are prepared in an unknown way.
    """
    import torch
    from torch.nn.functional import normalize
    from transformers import CLIPModel, CLIPProcessor

    model = folder.model(CLIPModel, "clip model", dtype=torch.float32).eval().requires_grad_(False)
    processor = folder.read(CLIPProcessor, "clip processor")

    class Text(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return normalize(self.model.get_text_features(input_ids=input_ids).pooler_output, dim=-1)

    class Image(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return normalize(self.model.get_image_features(pixel_values=pixels).pooler_output, dim=-1)

    config = model.config
    return TorchDual(
        scorer=ClipScorer(model=str(folder.path), device="cpu"),
        text=TextTower(
            graph=TEXT,
            tokenizer=TOKENIZER,
            max_tokens=config.text_config.max_position_embeddings,
            pad=processor.tokenizer.pad_token_id,
            masked=False,
        ),
        text_module=Text().eval(),
        media=image_tower(Image().eval(), _pixels(processor.image_processor, folder)),
        write_tokenizer=partial(write_tokenizer, processor.tokenizer),
        tokens=config.text_config.vocab_size,
        width=config.projection_dim,
        temperature=float(model.logit_scale.exp()),
        weights=folder.weights("model").files,
        root=folder.path,
    )


def _pixels(processor: Any, folder: ModelFolder) -> Pixels:
    import PIL.Image

    size, crop = dict(processor.size), dict(processor.crop_size or {})
    resample = PIL.Image.Resampling(int(processor.resample)).name.lower()
    usual = processor.do_rescale and processor.do_normalize and not getattr(processor, "do_pad", False)
    torchvision = processor.backend == "torchvision"
    if (
        not usual
        or abs(processor.rescale_factor - 1 / 255) > 1e-9
        or (torchvision and resample not in KERNELS)
    ):
        raise ModelFolderError(
            f"pictures that are resized, cropped and normalised were expected in {folder.path}; its image "
            "processor does something else"
        )
    shortest = size.get("shortest_edge")
    height, width = (shortest, shortest) if shortest else (size["height"], size["width"])
    kind = "shortest" if shortest else "exact"
    return Pixels.model_validate(
        {
            "resize": kind if processor.do_resize else "none",
            "size": (height, width),
            "resample": resample,
            "kernel": "torchvision" if torchvision else "pillow",
            "crop": (crop["height"], crop["width"]) if processor.do_center_crop else None,
            "rounding": "down",
            "mean": tuple(processor.image_mean),
            "std": tuple(processor.image_std),
        }
    )
