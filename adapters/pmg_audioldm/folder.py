"""What AudioLDM folders say about their model, read from their JSON files alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from pmg_audioldm.griffin_lim import GriffinLim
from pmg_audioldm.log_mel import LogMel, MelSettings
from pmg_audioldm.sound_form import SoundForm
from pmg_diffusion.folder import WEIGHTS, Defaults, DiffusersFolder
from pmg_sdk.errors import ConfigError, ModelFolderError

__all__ = ["AudioLDM2Defaults", "AudioLDM2Folder", "AudioLDMFolder", "SoundDefaults"]


class SoundDefaults(Defaults):
    """How a model of sounds is best sampled; without a "pmg" object as AudioLDM's authors do.

    Attributes:
        seconds: of a sound; AudioLDM was trained on 10.24 s.
        mel: how sounds become spectrograms, for training.
    """

    steps: int = Field(default=100, ge=1, le=1000)
    guidance: float = Field(default=2.5, ge=0, le=100)
    seconds: float = Field(default=10.24, gt=0, le=3600)
    mel: MelSettings = MelSettings()


class AudioLDM2Defaults(SoundDefaults):
    """As `SoundDefaults`, with AudioLDM 2's guidance."""

    guidance: float = Field(default=3.5, ge=0, le=100)


@dataclass(frozen=True)
class AudioLDMFolder(DiffusersFolder):
    """A diffusers folder of AudioLDM: its UNet takes one CLAP vector, a vocoder ends in sound."""

    KIND: ClassVar[str] = "an AudioLDM"
    PARTS: ClassVar[tuple[str, ...]] = (*DiffusersFolder.PARTS, "vocoder")
    FILES: ClassVar[tuple[str, ...]] = (
        *DiffusersFolder.FILES,
        "vocoder/*.json",
        "vocoder/*.safetensors",
    )

    @cached_property
    def defaults(self) -> SoundDefaults:
        """How the model is best sampled."""
        return self._read_defaults(SoundDefaults)

    @cached_property
    def vocoder(self) -> Mapping[str, Any]:
        """vocoder/config.json."""
        return self.files.json("vocoder/config.json")

    @property
    def griffin_lim(self) -> GriffinLim | None:
        """The vocoder, where vocoder/config.json names no network.

        Raises:
            ModelFolderError: its iterations are no whole number.
        """
        if self.vocoder.get("_class_name") != GriffinLim.NAME:
            return None
        return GriffinLim(self.log_mel, self._number("iterations"))

    @property
    def text_width(self) -> int:
        """Width of what the UNet is conditioned on."""
        return int(self.unet["projection_class_embeddings_input_dim"])

    def form(self, seconds: float | None = None) -> SoundForm:
        """Of sounds this long; None is as long as the folder says.

        Raises:
            ConfigError: shorter than one latent position, or no number.
        """
        seconds = self.defaults.seconds if seconds is None else seconds
        rate, hop = self._number("sampling_rate"), math.prod(self.vocoder["upsample_rates"])
        least = hop * self.downscaling / rate
        if not (math.isfinite(seconds) and seconds >= least):
            raise ConfigError(f"seconds: {least:g} or more were expected for this model; got {seconds}")
        return SoundForm(rate, hop, self._number("model_in_dim"), self.downscaling, round(seconds * rate))

    @property
    def log_mel(self) -> LogMel:
        """How sounds become spectrograms."""
        form = self.form()
        return LogMel(self.defaults.mel, form.sample_rate, form.hop, form.bands)

    def _number(self, key: str) -> int:
        value = self.vocoder.get(key)
        if not isinstance(value, int) or value < 1:
            raise ModelFolderError(
                f"a whole number {key!r} was expected in {self.files.path / 'vocoder' / 'config.json'}; "
                f"got {value!r}"
            )
        return value

    def _check(self) -> None:
        super()._check()
        self._check_unet()
        where = self.files.path
        rates = self.vocoder.get("upsample_rates")
        if not isinstance(rates, list) or not rates or not all(isinstance(r, int) and r > 0 for r in rates):
            raise ModelFolderError(
                f"a list of upsample_rates was expected in {where / 'vocoder' / 'config.json'}; got {rates!r}"
            )
        form, mel = self.form(), self.defaults.mel
        if form.bands % self.downscaling:
            raise ModelFolderError(
                f"bands in multiples of the autoencoder's {self.downscaling} were expected in {where}; "
                f"the vocoder takes {form.bands}"
            )
        stated = {"hop_length": (mel.hop_length, form.hop), "n_mels": (mel.n_mels, form.bands)}
        for key, (value, own) in stated.items():
            if value not in (None, own):
                raise ModelFolderError(
                    f"{where / 'model_index.json'}: pmg.mel.{key}: the vocoder's {own} was expected, "
                    f"got {value}"
                )
        if self.vae.get("in_channels", 3) != 1 or self.vae.get("out_channels", 3) != 1:
            raise ModelFolderError(f"an autoencoder of spectrograms, with 1 channel, was expected in {where}")
        if self.griffin_lim is None:
            self.files.sub("vocoder").weights("model")

    def _check_unet(self) -> None:
        kind, width = (
            self.unet.get(k) for k in ("class_embed_type", "projection_class_embeddings_input_dim")
        )
        if kind not in ("simple_projection", "projection") or not isinstance(width, int):
            raise ModelFolderError(
                f"{self.KIND} UNet, which takes one vector as its class, was expected in {self.files.path}; "
                f"got class_embed_type {kind!r} of width {width!r}"
            )


@dataclass(frozen=True)
class AudioLDM2Folder(AudioLDMFolder):
    """A diffusers folder of AudioLDM 2: its UNet attends to T5's tokens and to GPT-2's."""

    KIND: ClassVar[str] = "an AudioLDM 2"
    PARTS: ClassVar[tuple[str, ...]] = (
        *AudioLDMFolder.PARTS,
        "text_encoder_2",
        "tokenizer_2",
        "projection_model",
        "language_model",
    )
    FILES: ClassVar[tuple[str, ...]] = (
        *AudioLDMFolder.FILES,
        "projection_model/*.json",
        "projection_model/*.safetensors",
        "language_model/*.json",
        "language_model/*.safetensors",
    )

    @cached_property
    def defaults(self) -> AudioLDM2Defaults:
        """How the model is best sampled."""
        return self._read_defaults(AudioLDM2Defaults)

    @cached_property
    def language_model(self) -> Mapping[str, Any]:
        """language_model/config.json."""
        return self.files.json("language_model/config.json")

    @property
    def stream_tokens(self) -> int:
        """How many tokens the language model makes of a text."""
        return int(self.language_model.get("max_new_tokens") or 8)

    @property
    def longest_text(self) -> int:
        """Most T5 tokens whose stream has room in the language model: beside them are CLAP's vector, a
        token at either end of both, and what is made."""
        positions = self.language_model.get("n_positions", 1024)
        return int(positions) - self.stream_tokens - 5

    @property
    def text_width(self) -> int:
        """Width of the tokens that the UNet takes from T5."""
        return self._widths[-1]

    @property
    def _widths(self) -> list[int]:
        """Of the streams, in the order of the attentions of a block; None there is self-attention."""
        blocks = self.unet.get("cross_attention_dim")
        first = blocks[0] if isinstance(blocks, list) and blocks else blocks
        return [width for width in (first if isinstance(first, list) else [first]) if isinstance(width, int)]

    def _check(self) -> None:
        super()._check()
        self.files.sub("projection_model").weights(WEIGHTS)
        self.files.sub("language_model").weights("model")
        if self.files.json("text_encoder_2/config.json").get("model_type") == "vits":
            raise ModelFolderError(
                f"an AudioLDM 2 of sounds or music was expected in {self.files.path}; this one reads a "
                "transcription aloud (VITS), which keywords are not. Name another model."
            )

    def _check_unet(self) -> None:
        own = self.language_model.get("n_embd", 768)
        if len(self._widths) != 2 or self._widths[0] != own:
            raise ModelFolderError(
                f"{self.KIND} UNet, which attends to tokens of the language model's width {own} and to T5's, "
                f"was expected in {self.files.path}; got cross_attention_dim "
                f"{self.unet.get('cross_attention_dim')!r}"
            )
