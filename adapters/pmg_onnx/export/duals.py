"""The dual encoders of torch that can be exported, and what to trace of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_onnx.export.activations import Examples
from pmg_onnx.export.open_clip_text import CONFIG as OPEN_CLIP
from pmg_onnx.export.originals import FILES
from pmg_onnx.record import ImageTower, SoundTower, TextTower
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import Scorer
from pmg_sdk.media import Media
from pmg_tags.vocabulary import FILE as TAGS
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

__all__ = ["TEXT", "TOKENIZER", "TorchDual", "TorchMedia", "dual"]

TEXT = "text.onnx"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, eq=False)
class TorchMedia:
    """The tower of a dual encoder that reads media.

    Attributes:
        tower: what the record will say of it.
        module: takes `inputs`, gives unit rows.
        inputs: examples by name, in order, two of them; their first axis is the batch's.
        examples: inputs like those to come, for int8.
        probes: what export and original are compared on.
        files: what else is written into the folder: by name, the array in a .npy file.
    """

    tower: ImageTower | SoundTower
    module: torch.nn.Module
    inputs: Mapping[str, torch.Tensor]
    examples: Callable[[], Examples]
    probes: Sequence[Media]
    files: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TorchDual:
    """A dual encoder of torch, and what an export needs of it.

    Attributes:
        scorer: the original.
        text: what the record will say of the tower that reads texts.
        text_module: takes input_ids, gives unit rows.
        media: the other tower.
        write_tokenizer: writes what `tokenizers` reads.
        tokens: ids are below this.
        width: of the embeddings.
        temperature: what cosines are multiplied by before a softmax.
        weights: files of its weights below `root`.
    """

    scorer: Scorer
    text: TextTower
    text_module: torch.nn.Module
    media: TorchMedia
    write_tokenizer: Callable[[Path], Any]
    tokens: int
    width: int
    temperature: float
    weights: tuple[Path, ...]
    root: Path

    @property
    def tags(self) -> Path | None:
        """The vocabulary that lies in the folder, if any."""
        path = self.root / TAGS
        return path if path.is_file() else None


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
    if kind == "clip":
        from pmg_onnx.export.clip_dual import clip_dual

        return clip_dual(folder)
    if kind == "clap":
        from pmg_onnx.export.clap_dual import clap_dual

        return clap_dual(folder)
    raise ModelFolderError(
        f"a folder of transformers' CLIP or CLAP, or of open_clip, was expected in {folder.path}; its "
        f"config.json says {kind!r}"
    )
