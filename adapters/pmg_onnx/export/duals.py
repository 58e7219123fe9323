"""The dual encoders of torch that can be exported, and what to trace of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_onnx.export.open_clip_text import CONFIG as OPEN_CLIP
from pmg_onnx.export.originals import FILES
from pmg_onnx.record import ImageTower, TextTower
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import Scorer
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch

__all__ = ["GRAPHS", "TOKENIZER", "TorchDual", "dual"]

GRAPHS = ("text.onnx", "image.onnx")
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, eq=False)
class TorchDual:
    """A dual encoder of torch, and what an export needs of it.

    Attributes:
        scorer: the original.
        text, image: what the record will say of the towers.
        text_module: takes input_ids; `image_module`: takes pixels. Both give unit rows.
        write_tokenizer: writes what `tokenizers` reads.
        tokens: ids are below this.
        width: of the embeddings.
        temperature: what cosines are multiplied by before a softmax.
        weights: files of its weights below `root`.
        tags: the vocabulary that lies in the folder, if any.
    """

    scorer: Scorer
    text: TextTower
    image: ImageTower
    text_module: torch.nn.Module
    image_module: torch.nn.Module
    write_tokenizer: Callable[[Path], Any]
    tokens: int
    width: int
    temperature: float
    weights: tuple[Path, ...]
    root: Path
    tags: Path | None = None


def dual(source: str) -> TorchDual:
    """The dual encoder in `source`.

    Raises:
        ModelFolderError: it is none that can be exported.
    """
    folder = ModelFolder.locate(source, only=FILES)
    if folder.has(OPEN_CLIP):
        from pmg_onnx.export.open_clip_dual import open_clip_dual

        return open_clip_dual(folder)
    kind = folder.json("config.json").get("model_type")
    if kind != "clip":
        raise ModelFolderError(
            f"a folder of transformers' CLIP or of open_clip was expected in {folder.path}; its config.json "
            f"says {kind!r}"
        )
    from pmg_onnx.export.clip_dual import clip_dual

    return clip_dual(folder)
