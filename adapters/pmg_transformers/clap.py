"""e_M, e_p and e_t of transformers' CLAP (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pmg_clap.features import ClapFeatures
from pmg_clap.windows import embed_windows
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.media import Media
from pmg_tags.identity import identity
from pmg_transformers.dual_scorer import DualScorer
from pmg_transformers.media_reader import MediaModel
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["ClapScorer"]


class ClapScorer(DualScorer):
    """Embeds sounds and texts into the space of one `ClapModel`; rows have length 1.

    A sound becomes one channel at the model's rate. One that is longer than the model hears at once is
    embedded in windows that cover all of it, the last ending where the sound does, and its row is the
    mean of theirs, made unit; a fused model hears it at once (see `pmg_clap.features`). Nothing is random.

    Args:
        model: a transformers folder or hub id of a CLAP model, or "pmg:NAME".
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most windows or texts at once; halved where memory runs out.
    """

    modality: ClassVar[str] = "audio"
    _family = "CLAP"
    _classes: ClassVar = {"clap": ("ClapModel", "ClapProcessor")}
    _tokenizers = ("tokenizer.json", "vocab.json", "vocab.txt")

    def __init__(
        self, *, model: str = "laion/clap-htsat-unfused", device: str = "auto", batch_size: int = 16
    ) -> None:
        super().__init__(model=model, device=device, dtype="float32", batch_size=batch_size)

    @property
    def temperature_scale(self) -> float:
        """What cosines of a sound to texts are multiplied by before a softmax; learned in training."""
        return float(self._ready().model.logit_scale_a.exp())

    @property
    def folder(self) -> Path:
        """Where the model was read from."""
        return self._ready().folder

    @cached_property
    def identity(self) -> str:
        """Changes with the weights, see `pmg_tags.identity`."""
        return identity("", self.folder)

    @property
    def features(self) -> ClapFeatures:
        """How the model hears sounds; loads it."""
        return self._hearing(self._ready())

    @property
    def max_tokens(self) -> int:
        """The longest text, special tokens included; loads the model."""
        return self._context(self._ready())

    @property
    def tokenizer(self) -> Any:
        """Of transformers; loads the model."""
        return self._ready().processor.tokenizer

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        """Float32 unit rows, shape (len(media), width).

        Raises:
            CapabilityError: a medium is no sound.
        """
        return embed_windows(
            media,
            self.features,
            lambda pieces: self._embed(pieces, self._sound_features),
            reader="CLAP",
        )

    def _read(self, folder: ModelFolder, device: str, observer: Observer) -> MediaModel:
        clap = super()._read(folder, device, observer)
        self._hearing(clap)  # a folder that contradicts itself is told of now
        return clap

    def _hearing(self, clap: MediaModel) -> ClapFeatures:
        extractor: Any = clap.processor.feature_extractor
        fused = bool(clap.model.config.audio_config.enable_fusion)
        if fused != (extractor.truncation == "fusion"):
            raise ModelFolderError(
                f"truncation {'fusion' if fused else 'rand_trunc'!r} was expected in the preprocessor "
                f"configuration of {clap.folder}, as enable_fusion is {fused} in its config.json; "
                f"got {extractor.truncation!r}. Download it again, or name another model."
            )
        return ClapFeatures.like(extractor)

    def _context(self, dual: MediaModel) -> int:
        """Positions are counted from the one after the padding's, as RoBERTa does."""
        text = dual.model.config.text_config
        return min(
            int(text.max_position_embeddings) - int(text.pad_token_id) - 1,
            int(dual.processor.tokenizer.model_max_length),
        )

    def _sound_features(self, clap: MediaModel, pieces: Sequence[NDArray[np.float32]]) -> torch.Tensor:
        import torch

        features, longer = self._hearing(clap).inputs(pieces)
        rows: torch.Tensor = clap.model.get_audio_features(
            input_features=torch.from_numpy(features).to(clap.device),
            is_longer=torch.from_numpy(longer).to(clap.device),
        ).pooler_output
        return rows
