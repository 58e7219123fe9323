"""Keywords to E_k with CLAP's text encoder: one vector a text (paper, section 3.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ModelFolderError
from pmg_transformers.text_tower import LAST, Layer
from pmg_transformers.tower_encoder import TowerPlace, TowerTextEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClapTextEncoder"]


class ClapTextEncoder(TowerTextEncoder):
    """Embeds text as CLAP's projection made unit, `pooled` of shape (width,), with 0 tokens.

    The space is named after family, width and weights: "clap-pooled-512-1f0c93ab".

    Args:
        model: a transformers or diffusers folder, a hub id, or "pmg:NAME", of a `ClapModel` or of its text
            part with the projection.
        subfolder: where in it the encoder is; "text_encoder" in diffusers folders.
        tokenizer_subfolder: where the tokenizer is; by default "tokenizer" beside "text_encoder", and
            otherwise with the encoder.
        max_tokens: a limit below the model's own, for generators trained on shorter texts.
        device: "auto", "cpu", "cuda", "mps".
        dtype: "float32", "float16", "bfloat16" or "auto" (float16 on CUDA, else float32).
    """

    def __init__(
        self,
        model: str,
        *,
        subfolder: str = "",
        tokenizer_subfolder: str | None = None,
        max_tokens: int | None = None,
        device: str = "auto",
        dtype: str = "float32",
    ) -> None:
        super().__init__(model, max_tokens=max_tokens, device=device, dtype=dtype)
        if tokenizer_subfolder is None:
            tokenizer_subfolder = subfolder.replace("text_encoder", "tokenizer")
        self._places = (TowerPlace(subfolder, tokenizer_subfolder, pooled=True),)

    @property
    def layer(self) -> Layer:
        """The last; the vector is made of it."""
        return LAST

    @property
    def space(self) -> str:
        """Family, width and weights; vectors of this space are no tokens of another encoder's."""
        (tower,) = self.towers
        if tower.family.name != "clap":
            raise ModelFolderError(
                f"a CLAP text encoder was expected in {tower.folder.path}; got one of the family "
                f"{tower.family.name!r}. Name another model."
            )
        return f"clap-pooled-{self.width}-{tower.fingerprint}"

    @property
    def width(self) -> int:
        """Width of the pooled vector."""
        (tower,) = self.towers
        return tower.projection_width

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order. Longer texts than `max_tokens` are cut, with a warning in the log.

        Raises:
            ModelFolderError: the folder is incomplete or damaged.
        """
        (tower,) = self.towers
        space, no_tokens = self.space, np.zeros((0, self.width), np.float32)
        vectors = [entry.pooled for entry in tower.encode(texts) if entry.pooled is not None]
        return [Conditioning(no_tokens, space, _unit(vector)) for vector in vectors]


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
