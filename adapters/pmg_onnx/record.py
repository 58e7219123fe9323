"""What stands in the `pmg_onnx.json` of an exported folder: where it comes from, and how it is run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "FILE",
    "FORMAT",
    "Hearing",
    "ImageTower",
    "Kind",
    "Parity",
    "Pixels",
    "Precision",
    "Record",
    "SoundTower",
    "TextTower",
]

FILE = "pmg_onnx.json"
FORMAT = 1
"""Raised when an older reader could not make sense of a folder."""

Kind = Literal["text encoder", "scorer"]
Precision = Literal["fp32", "fp16", "int8"]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
"""Of a file in the folder itself: nothing outside is ever named."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextTower(_Value):
    """One graph that reads text.

    Its inputs are `input_ids` and, where `masked`, `attention_mask`, int64 of shape (batch, length).
    Of its outputs `embeds` is (batch, length, width) and `pooled` (batch, pooled width). One of the two
    may be missing; a scorer's tower has `pooled` alone, as unit rows.

    Attributes:
        graph, tokenizer: names of files in the folder.
        max_tokens: longest text, special tokens included.
        pad: id of the padding token.
        masked: whether later tokens can be seen, so that padding has to be masked.
        padded: whether the tower always reads texts padded to `max_tokens`.
        cleaning: what open_clip does to a text before its tokenizer: "" is nothing.
    """

    graph: FileName
    tokenizer: FileName
    max_tokens: int = Field(ge=1)
    pad: int = Field(ge=0)
    masked: bool
    padded: bool = False
    cleaning: Literal["", "whitespace", "lower", "canonicalize"] = ""


class Pixels(_Value):
    """How a picture becomes what an image tower reads: resized, cropped or padded, normalised.

    Attributes:
        resize: to `size`: "shortest" brings the shorter side to its first number, the longer one rounded
            down; "inside" the picture into it and "outside" around it, in its own proportions; "exact" the
            picture to it; "none" leaves it.
        size: (height, width) in pixels.
        resample: the filter, by its name in Pillow.
        kernel: whose arithmetic resizes: Pillow's, or torchvision's (bicubic and bilinear).
        crop: (height, width) in pixels, out of the middle; what is missing is filled. None leaves it.
        rounding: of the middle: half to even, or down.
        fill: grey value, 0 to 255, beside a picture that is smaller than `crop`.
        mean, std: of the colours in 0..1.
    """

    resize: Literal["shortest", "inside", "outside", "exact", "none"]
    size: tuple[int, int]
    resample: Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
    kernel: Literal["pillow", "torchvision"] = "pillow"
    crop: tuple[int, int] | None
    rounding: Literal["even", "down"] = "even"
    fill: int = Field(default=0, ge=0, le=255)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class ImageTower(_Value):
    """One graph that reads pictures: `pixels` float32 (batch, 3, height, width) to `pooled`, unit rows."""

    graph: FileName
    pixels: Pixels


class Hearing(_Value):
    """How a sound becomes what a sound tower reads: log-mel spectrograms of windows, see `pmg_clap.features`.

    Attributes:
        fused: whether a sound is heard at once in four views; otherwise in windows, one view each.
        rate: samples a second, Hz; sounds of others are resampled.
        length: of a window, in samples.
        padding: how a shorter sound fills a window: "repeatpad" (as often as it fits, then zeros),
            "repeat" (and a part of it at the end), "pad" (zeros).
        hop: samples between two frames.
        filters: name of a .npy file, float64 of shape (bins, bands): power spectrum to mel bands.
    """

    fused: bool
    rate: int = Field(ge=1)
    length: int = Field(ge=1)
    padding: Literal["repeatpad", "repeat", "pad"]
    hop: int = Field(ge=1)
    filters: FileName


class SoundTower(_Value):
    """One graph that reads sounds, to `pooled`, unit rows.

    Its inputs are `features`, float32 in dB of shape (batch, views, frames, bands), and of a fused one
    `longer`, bool of shape (batch, 1): whether a sound is longer than a window.
    """

    graph: FileName
    hearing: Hearing


class Parity(_Value):
    """How far the exported model is from the original, both on this project's probes.

    Attributes:
        max_abs: largest difference of two numbers.
        min_cosine: smallest cosine of two rows: tokens, pooled vectors, embedded media.
        rows: how many were compared.
    """

    max_abs: float = Field(ge=0)
    min_cosine: float
    rows: int = Field(ge=1)


class Record(_Value):
    """One exported folder.

    Attributes:
        kind: what it can be used as.
        source: what was exported, as it was named.
        source_sha256: of the weights that were exported, file by file.
        precision: of the graphs: "fp32", "fp16", or "int8" (products of matrices and tables of embeddings).
        opset: of ONNX.
        versions: of the packages that made it.
        files: sha256 of every other file in the folder.
        towers: the graphs that read text; embeddings of several are joined side by side.
        space: the text space, that of the original (text encoders).
        width: of the embeddings.
        padding: whether texts are padded unless the user says otherwise (text encoders).
        clip_skip: the last layers that were left out; part of `space` (text encoders).
        image: the graph that reads pictures (scorers of images).
        sound: the graph that reads sounds (scorers of sounds).
        temperature: what cosines are multiplied by before a softmax, learned in training (scorers).
        parity: what was measured at the export.
        winners: the scenario whose sample users chose the same with it, if that was tried.
    """

    format: Literal[1] = 1
    kind: Kind
    source: str
    source_sha256: dict[str, Sha256]
    precision: Precision
    opset: int
    versions: dict[str, str]
    files: dict[FileName, Sha256] = {}
    towers: tuple[TextTower, ...] = Field(min_length=1)
    space: str = ""
    width: int = Field(ge=1)
    padding: bool = False
    clip_skip: int = 0
    image: ImageTower | None = None
    sound: SoundTower | None = None
    temperature: float = 1.0
    parity: Parity | None = None
    winners: str = ""

    @property
    def modality(self) -> Literal["image", "audio"]:
        """Of the media that a scorer judges."""
        return "image" if self.sound is None else "audio"
