"""Tiny diffusers folders shaped like AudioLDM and AudioLDM 2: 8 kHz, 16 bands, sounds of 0.64 s."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tiny_models.text_encoders import t5_text_folder
from tiny_models.tokenizers import bert_tokenizer, roberta_tokenizer

__all__ = ["BANDS", "HOP", "RATE", "SECONDS", "audioldm2_folder", "audioldm_folder", "bert_clap_text_folder"]

RATE, HOP, BANDS, SECONDS = 8000, 80, 16, 0.64
CLAP_WIDTH = 24

SETTINGS = {
    "steps": 4,
    "guidance": 2.0,
    "seconds": SECONDS,
    "mel": {"n_fft": 256, "fmax": 4000},
}


def audioldm_folder(folder: Path, *, pmg: Mapping[str, Any] | None = None) -> Path:
    """AudioLDM: one CLAP vector as the UNet's class, BERT's words as in the embedded model; DDIM."""
    bert_clap_text_folder(folder / "text_encoder", tokenizer=folder / "tokenizer")
    _pooled_unet(folder)
    _vae(folder)
    _vocoder(folder)
    _scheduler(folder)
    return _index(
        folder,
        "AudioLDMPipeline",
        SETTINGS if pmg is None else pmg,
        unet=["diffusers", "UNet2DConditionModel"],
        text_encoder=["transformers", "ClapTextModelWithProjection"],
        tokenizer=["transformers", "BertTokenizer"],
    )


def audioldm2_folder(folder: Path, *, pmg: Mapping[str, Any] | None = None) -> Path:
    """AudioLDM 2: a whole CLAP with RoBERTa's words, T5, GPT-2, a UNet with two streams; DDIM."""
    _whole_clap(folder / "text_encoder", folder / "tokenizer")
    t5_text_folder(folder / "text_encoder_2", tokenizer=folder / "tokenizer_2", width=32, seed=3)
    _language_model(folder)
    _two_stream_unet(folder)
    _vae(folder)
    _vocoder(folder)
    _scheduler(folder)
    return _index(
        folder,
        "AudioLDM2Pipeline",
        SETTINGS if pmg is None else pmg,
        unet=["diffusers", "AudioLDM2UNet2DConditionModel"],
        text_encoder=["transformers", "ClapModel"],
        tokenizer=["transformers", "RobertaTokenizer"],
        text_encoder_2=["transformers", "T5EncoderModel"],
        tokenizer_2=["transformers", "T5Tokenizer"],
        projection_model=["diffusers", "AudioLDM2ProjectionModel"],
        language_model=["transformers", "GPT2Model"],
        feature_extractor=["transformers", "ClapFeatureExtractor"],
    )


def bert_clap_text_folder(folder: Path, *, tokenizer: Path | None = None) -> Path:
    """CLAP's text part with the projection, and BERT's words."""
    from transformers import ClapTextConfig, ClapTextModelWithProjection

    torch.manual_seed(20)
    config = ClapTextConfig(**_text_settings(bert_tokenizer(tokenizer or folder), 0))
    _spread(ClapTextModelWithProjection(config)).save_pretrained(folder)
    return folder


def _text_settings(size: int, pad: int) -> dict[str, Any]:
    return {
        "vocab_size": size,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 64 + pad + 1,
        "pad_token_id": pad,
        "projection_dim": CLAP_WIDTH,
    }


def _whole_clap(folder: Path, tokenizer: Path) -> None:
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    config = ClapConfig(
        text_config=_text_settings(roberta_tokenizer(tokenizer), 1),
        audio_config={
            "spec_size": 64,
            "num_mel_bins": 16,
            "window_size": 4,
            "patch_embeds_hidden_size": 8,
            "depths": [1, 1],
            "num_attention_heads": [2, 2],
            "hidden_size": 16,
        },
        projection_dim=CLAP_WIDTH,
    )
    torch.manual_seed(21)
    _spread(ClapModel(config)).save_pretrained(folder)
    ClapFeatureExtractor(feature_size=16).save_pretrained(folder.parent / "feature_extractor")


def _language_model(folder: Path) -> None:
    from diffusers import AudioLDM2ProjectionModel
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(22)
    _spread(
        AudioLDM2ProjectionModel(text_encoder_dim=CLAP_WIDTH, text_encoder_1_dim=32, langauge_model_dim=16)
    ).save_pretrained(folder / "projection_model")
    config = GPT2Config(
        vocab_size=8, n_embd=16, n_layer=2, n_head=2, n_positions=96, bos_token_id=0, eos_token_id=0
    )
    config.max_new_tokens = 8
    _spread(GPT2Model(config)).save_pretrained(folder / "language_model")


def _pooled_unet(folder: Path) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(23)
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=(16, 32),  # of no text: these attentions are of the picture to itself
        attention_head_dim=4,
        class_embed_type="simple_projection",
        projection_class_embeddings_input_dim=CLAP_WIDTH,
        class_embeddings_concat=True,
    )
    _spread(unet.class_embedding, 1.0)
    unet.save_pretrained(folder / "unet")


def _two_stream_unet(folder: Path) -> None:
    from diffusers import AudioLDM2UNet2DConditionModel

    torch.manual_seed(24)
    AudioLDM2UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=((None, 16, 32), (None, 16, 32)),
        attention_head_dim=4,
    ).save_pretrained(folder / "unet")


def _vae(folder: Path) -> None:
    from diffusers import AutoencoderKL

    torch.manual_seed(25)
    AutoencoderKL(
        in_channels=1,
        out_channels=1,
        latent_channels=8,
        block_out_channels=(8, 8, 16),
        layers_per_block=1,
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        scaling_factor=0.9,
    ).save_pretrained(folder / "vae")


def _vocoder(folder: Path) -> None:
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    torch.manual_seed(26)
    config = SpeechT5HifiGanConfig(
        model_in_dim=BANDS,
        sampling_rate=RATE,
        upsample_initial_channel=32,
        upsample_rates=[5, 4, 4],
        upsample_kernel_sizes=[16, 8, 8],
        resblock_kernel_sizes=[3, 7],
        resblock_dilation_sizes=[[1, 3], [1, 3]],
        normalize_before=False,
    )
    _spread(SpeechT5HifiGan(config), 0.12).save_pretrained(folder / "vocoder")


def _scheduler(folder: Path) -> None:
    from diffusers import DDIMScheduler

    DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0195,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    ).save_pretrained(folder / "scheduler")


def _spread(model: Any, gain: float = 0.2) -> Any:
    """Weights wide enough that what goes in shows in what comes out; as made, all texts are nearly alike."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and "relative_position" not in name:
                parameter.normal_(std=gain)
    return model.eval()


def _index(folder: Path, pipeline: str, pmg: Mapping[str, Any], **parts: list[str]) -> Path:
    index = {
        "_class_name": pipeline,
        **parts,
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "vocoder": ["transformers", "SpeechT5HifiGan"],
        **({"pmg": dict(pmg)} if pmg else {}),
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
    return folder
