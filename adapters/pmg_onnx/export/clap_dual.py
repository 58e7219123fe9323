"""transformers' CLAP, to be exported."""

from __future__ import annotations

from functools import partial
from typing import Any

from pmg_clap import ClapFeatures
from pmg_onnx.export.activations import Examples
from pmg_onnx.export.duals import TEXT, TOKENIZER, TorchDual, TorchMedia
from pmg_onnx.export.fused_patches import FusedPatches
from pmg_onnx.export.probes import sounds
from pmg_onnx.export.tokenizer_file import write_tokenizer
from pmg_onnx.record import Hearing, SoundTower, TextTower
from pmg_onnx.sound_reader import as_inputs
from pmg_transformers.clap import ClapScorer
from pmg_transformers.model_folder import ModelFolder

__all__ = ["clap_dual"]

FILTERS = "mel.npy"


def clap_dual(folder: ModelFolder) -> TorchDual:
    """The CLAP in `folder`, fused or not.

    Raises:
        ModelFolderError: files are missing or damaged, or contradict each other.
    """
    import torch
    from torch.nn.functional import normalize
    from transformers import ClapModel

    scorer = ClapScorer(model=str(folder.path), device="cpu")
    hearing, max_tokens, tokenizer = scorer.features, scorer.max_tokens, scorer.tokenizer
    # Another copy than the scorer's: what is traced is changed for it.
    model = folder.model(ClapModel, "clap model", dtype=torch.float32).eval().requires_grad_(False)

    class Text(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            mask = torch.ones_like(input_ids)
            found = self.model.get_text_features(input_ids=input_ids, attention_mask=mask)
            return normalize(found.pooler_output, dim=-1)

    return TorchDual(
        scorer=scorer,
        text=TextTower(
            graph=TEXT, tokenizer=TOKENIZER, max_tokens=max_tokens, pad=tokenizer.pad_token_id, masked=False
        ),
        text_module=Text().eval(),
        media=_sound_tower(model, hearing),
        write_tokenizer=partial(write_tokenizer, tokenizer),
        tokens=model.config.text_config.vocab_size,
        width=model.config.projection_dim,
        temperature=scorer.temperature_scale,
        weights=folder.weights("model").files,
        root=folder.path,
    )


def _sound_tower(model: Any, hearing: ClapFeatures) -> TorchMedia:
    import torch
    from torch.nn.functional import normalize

    class Sound(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.patches = FusedPatches.within(model) if hearing.fused else None

        def forward(self, features: torch.Tensor, longer: torch.Tensor | None = None) -> torch.Tensor:
            if self.patches is None:
                return self._rows(features)
            with self.patches.knowing(longer):
                return self._rows(features)

        def _rows(self, features: torch.Tensor) -> torch.Tensor:
            return normalize(self.model.get_audio_features(input_features=features).pooler_output, dim=-1)

    def examples(seed: int = 1) -> Examples:
        media = sounds(hearing.rate, hearing.length / hearing.rate, seed)
        pieces = [piece for medium in media for piece in hearing.pieces(medium)]
        return [as_inputs(hearing, [piece]) for piece in pieces]

    shape = (2, hearing.views, hearing.frames, hearing.bands)
    inputs = {"features": torch.randn(shape, generator=torch.Generator())}
    if hearing.fused:
        inputs["longer"] = torch.tensor([[True], [False]])
    return TorchMedia(
        tower=SoundTower(
            graph="sound.onnx",
            hearing=Hearing.model_validate(
                {
                    "fused": hearing.fused,
                    "rate": hearing.rate,
                    "length": hearing.length,
                    "padding": hearing.padding if hearing.padding in ("repeatpad", "repeat") else "pad",
                    "hop": hearing.hop,
                    "filters": FILTERS,
                }
            ),
        ),
        module=Sound().eval(),
        inputs=inputs,
        examples=examples,
        probes=sounds(hearing.rate, hearing.length / hearing.rate),
        files={FILTERS: hearing.mel},
    )
