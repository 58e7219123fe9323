"""What is looked at and what is made: `Media`, and images as the first of them.

Images are decoded only after their size was read from the header, so a
decompression bomb costs nothing (limits: `Image.open`).
"""

from __future__ import annotations

import base64
import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from pmg_sdk.errors import CapabilityError, MediaCorrupt, MediaTooLarge
from pmg_sdk.media_bytes import read_limited
from pmg_sdk.storage import write_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PILImage

__all__ = ["MAX_FILE_BYTES", "MAX_PIXELS", "Image", "Media", "as_pixels", "expect", "expect_image"]

M = TypeVar("M", bound="Media")

MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 64 * 1024 * 1024
_SMALL = 384


class Media(ABC):
    """A finished medium. Subclasses are frozen values around a numpy array."""

    modality: ClassVar[str]
    suffix: ClassVar[str]
    """File ending of `to_bytes`, with the dot."""
    mime: ClassVar[str] = "application/octet-stream"
    """Type of `to_bytes`, as browsers name it."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The medium as the bytes of a file with the ending `suffix`, losslessly."""

    @abstractmethod
    def picture(self) -> Image:
        """An image that stands for the medium on a contact sheet."""

    def element(self, label: str, *, small: bool = False) -> str:
        """The medium as HTML that needs no other file: here its picture; sounds can be played.

        Args:
            label: what it is, for who cannot see it; any text, it is escaped.
            small: where it is one of many; pictures are then of at most 384 pixels a side.
        """
        picture = self.picture().fitted(_SMALL) if small else self.picture()
        return f'<img alt="{escape(label)}" src="{picture.data_uri()}">'

    def data_uri(self) -> str:
        """`to_bytes` as a `data:` address."""
        return f"data:{self.mime};base64,{base64.b64encode(self.to_bytes()).decode('ascii')}"

    def save(self, path: str | Path) -> Path:
        """Write the medium to `path` in one step: the whole file or none.

        Raises:
            StorageError: the file cannot be written.
        """
        return write_bytes(Path(path), self.to_bytes())


@dataclass(frozen=True, eq=False)
class Image(Media):
    """An RGB image.

    Attributes:
        pixels: uint8, shape (height, width, 3).
    """

    pixels: NDArray[np.uint8]

    modality: ClassVar[str] = "image"
    suffix: ClassVar[str] = ".png"
    mime: ClassVar[str] = "image/png"

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise MediaCorrupt(
                f"an Image holds uint8 pixels of shape (height, width, 3); "
                f"got {self.pixels.dtype} of shape {self.pixels.shape}"
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Image) and np.array_equal(self.pixels, other.pixels)

    def __hash__(self) -> int:
        return hash((self.pixels.shape, self.pixels.tobytes()))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @classmethod
    def open(
        cls,
        source: str | Path | bytes,
        *,
        max_pixels: int = MAX_PIXELS,
        max_bytes: int = MAX_FILE_BYTES,
        background: tuple[int, int, int] = (255, 255, 255),
    ) -> Image:
        """Decode a PNG, JPEG, WebP or GIF (first frame); transparency goes onto `background`.

        Raises:
            MediaTooLarge: the file or its stated size exceeds the limits (checked before decoding).
            MediaCorrupt: the file is missing, damaged, or not one of these formats.
        """
        data = read_limited(source, max_bytes, "an image")
        import PIL.Image

        try:
            with PIL.Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF")) as opened:
                width, height = opened.size
                if width * height > max_pixels:
                    raise MediaTooLarge(
                        f"an image of at most {max_pixels:,} pixels was expected; "
                        f"this one states {width} x {height}. Scale it down, or raise max_pixels."
                    )
                return cls.from_pil(opened, background=background)
        except MediaTooLarge:
            raise
        except PIL.Image.DecompressionBombError as error:  # Pillow's own limit, read from the header
            raise MediaTooLarge(
                f"an image of at most {max_pixels:,} pixels was expected; this one states far more. "
                "Scale it down."
            ) from error
        except Exception as error:  # Pillow raises many kinds for damaged files
            raise MediaCorrupt(
                f"a PNG, JPEG, WebP or GIF image was expected; these {len(data):,} bytes "
                f"cannot be decoded ({type(error).__name__})"
            ) from error

    @classmethod
    def from_pil(cls, image: PILImage, *, background: tuple[int, int, int] = (255, 255, 255)) -> Image:
        """From a Pillow image of any mode; transparency goes onto `background`."""
        import PIL.Image

        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            rgba = image.convert("RGBA")
            ground = PIL.Image.new("RGBA", rgba.size, (*background, 255))
            image = PIL.Image.alpha_composite(ground, rgba)
        return cls(np.asarray(image.convert("RGB"), dtype=np.uint8))

    def to_pil(self) -> PILImage:
        """As a Pillow RGB image."""
        import PIL.Image

        return PIL.Image.fromarray(self.pixels)

    def fitted(self, side: int) -> Image:
        """Scaled down to at most `side` pixels in width and height; a smaller one is itself."""
        if max(self.size) <= side:
            return self
        pil = self.to_pil()
        pil.thumbnail((side, side))
        return Image.from_pil(pil)

    def to_bytes(self) -> bytes:
        """The image as PNG bytes."""
        buffer = io.BytesIO()
        self.to_pil().save(buffer, format="PNG")
        return buffer.getvalue()

    def picture(self) -> Image:
        """Itself."""
        return self

    def _repr_png_(self) -> bytes:
        return self.to_bytes()

    def __repr__(self) -> str:
        return f"Image({self.size[0]}x{self.size[1]})"


def expect(medium: Media, kind: type[M], reader: str) -> M:
    """The medium itself, for a reader of one kind of media alone.

    Args:
        reader: names what cannot read anything else, in the error.

    Raises:
        CapabilityError: it is of another kind.
    """
    if not isinstance(medium, kind):
        raise CapabilityError(
            f"an {kind.__name__} was expected; got {type(medium).__name__}, which {reader} cannot read"
        )
    return medium


def expect_image(medium: Media, reader: str) -> Image:
    """`expect`, of an image."""
    return expect(medium, Image, reader)


def as_pixels(value: Any) -> NDArray[np.uint8]:
    """Float images in [0, 1], shape (..., 3), to uint8 by rounding."""
    array = np.asarray(value, dtype=np.float32)
    return np.asarray(np.clip(array * 255.0 + 0.5, 0, 255), dtype=np.uint8)
