"""e_M, e_p and e_t of the original laion-clap (paper, section 3.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from pmg_clap.features import ClapFeatures
from pmg_laion_clap.model import architecture_of, read_clap
from pmg_tags.identity import identity
from pmg_transformers.clap import ClapScorer
from pmg_transformers.media_reader import MediaModel
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["LaionClapScorer"]

FILES = ("*.json", "*.txt")
CONTEXT = 77
"""Tokens of a text; laion-clap cuts there, in training and after."""


class LaionClapScorer(ClapScorer):
    """Embeds sounds and texts by a checkpoint of laion-clap; rows have length 1.

    Sounds are heard as `ClapScorer` lets them be heard, without chance. No hub is asked unless `text` is a
    hub id, and no pickle is run (see `read_checkpoint`).

    Args:
        model: path of a checkpoint, `.pt` as published or `.safetensors`.
        text: folder, or hub id, of the RoBERTa whose tokenizer and config.json the text tower has; its
            weights are the checkpoint's.
        architecture: laion-clap's name of the audio tower, "HTSAT-base" for the larger ones.
        fused: whether the checkpoint is one with feature fusion.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        batch_size: most windows or texts at once; halved where memory runs out.
    """

    _family = "laion-clap"

    def __init__(
        self,
        *,
        model: str,
        text: str = "roberta-base",
        architecture: str = "HTSAT-tiny",
        fused: bool = False,
        device: str = "auto",
        batch_size: int = 16,
    ) -> None:
        super().__init__(model=model, device=device, batch_size=batch_size)
        self.text = text
        self.architecture = architecture
        self.fused = fused
        self._checkpoint = Path(model).expanduser()
        self._variant = f"{self._checkpoint.resolve()}|{architecture}|{fused}"

    @cached_property
    def identity(self) -> str:
        """Changes with the weights."""
        with self._checkpoint.open("rb") as file:
            weights = hashlib.file_digest(file, "sha256").hexdigest()
        return identity(f"{weights}|{self.architecture}|{self.text}", None)

    def _folder(self, observer: Observer) -> ModelFolder:
        return ModelFolder.locate(self.text, only=FILES, observer=observer)

    def _read(self, folder: ModelFolder, device: str, observer: Observer) -> MediaModel:
        from transformers import AutoTokenizer, ClapFeatureExtractor, RobertaConfig

        stage = f"load {self._family}"
        observer.start(stage, 1)
        folder.require("config.json")
        folder.require("tokenizer.json", "vocab.json")
        audio = architecture_of(self.architecture)["audio_cfg"]
        extractor = ClapFeatureExtractor(
            feature_size=audio["mel_bins"],
            sampling_rate=audio["sample_rate"],
            hop_length=audio["hop_size"],
            fft_window_size=audio["window_size"],
            max_length_s=audio["clip_samples"] // audio["sample_rate"],
            frequency_min=audio["fmin"],
            frequency_max=audio["fmax"],
            truncation="fusion" if self.fused else "rand_trunc",
        )
        model = read_clap(
            self._checkpoint,
            folder.read(RobertaConfig, "RoBERTa configuration"),
            architecture=self.architecture,
            fused=self.fused,
        )
        processor = SimpleNamespace(
            tokenizer=folder.read(AutoTokenizer, "RoBERTa tokenizer"), feature_extractor=extractor
        )
        observer.advance(stage)
        return MediaModel(
            self._family,
            model.eval().requires_grad_(False).to(device),
            processor,
            device,
            self._checkpoint.parent,
        )

    def _width(self, dual: MediaModel) -> int:
        return int(dual.model.joint_embed_shape)

    def _context(self, dual: MediaModel) -> int:
        return min(CONTEXT, int(dual.processor.tokenizer.model_max_length))

    def _hearing(self, clap: MediaModel) -> ClapFeatures:
        return ClapFeatures.like(clap.processor.feature_extractor)

    def _text_embeddings(self, dual: MediaModel, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        tokens = {"input_ids": ids, "attention_mask": mask}
        rows: torch.Tensor = dual.model.encode_text(tokens, device=dual.device)
        return rows

    def _sound_features(self, clap: MediaModel, pieces: Sequence[NDArray[np.float32]]) -> torch.Tensor:
        import torch

        features = self._hearing(clap)
        if features.fused:
            seen, longer = features.inputs(pieces)
            heard = {"mel_fusion": torch.from_numpy(seen), "longer": torch.from_numpy(longer)}
        else:  # the model makes its own spectrogram
            heard = {"waveform": torch.stack([torch.from_numpy(features.filled(piece)) for piece in pieces])}
        on_device = {name: tensor.to(clap.device) for name, tensor in heard.items()}
        embedded = clap.model.encode_audio(on_device, device=clap.device)["embedding"]
        rows: torch.Tensor = clap.model.audio_projection(embedded)
        return rows
