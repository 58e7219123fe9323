"""Tiny BLIP-2 folders, with a decoder (OPT) or an encoder-decoder (T5) as language model, and a tiny BLIP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch

from tiny_models.tokenizers import WORDS, bert_tokenizer

__all__ = ["blip2_folder", "blip_folder"]

TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {**TOWER, "image_size": 32, "patch_size": 16}
QUERIES = 4


def blip2_folder(folder: Path, *, language_model: Literal["opt", "t5"] = "opt", seed: int = 0) -> Path:
    """A Blip2ForConditionalGeneration whose vocabulary is a few words."""
    from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor

    tokenizer = _word_tokenizer()
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "vocab_size": len(tokenizer) + 1}
    text: dict[str, Any] = {
        "opt": {
            **ids,
            "model_type": "opt",
            "hidden_size": 32,
            "ffn_dim": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 64,
            "word_embed_proj_dim": 32,
            "tie_word_embeddings": False,
        },
        "t5": {
            **ids,
            "model_type": "t5",
            "d_model": 32,
            "d_kv": 8,
            "d_ff": 64,
            "num_layers": 2,
            "num_heads": 4,
            "decoder_start_token_id": 2,
        },
    }[language_model]
    processor = Blip2Processor(_image_processor(), tokenizer, num_query_tokens=QUERIES)
    config = Blip2Config(
        vision_config=VISION,
        qformer_config={**TOWER, "encoder_hidden_size": 32, "vocab_size": len(tokenizer) + 1},
        text_config=text,
        num_query_tokens=QUERIES,
        image_token_index=len(tokenizer) - 1,
    )
    _talkative(Blip2ForConditionalGeneration(config), seed).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def blip_folder(folder: Path, *, seed: int = 0) -> Path:
    """A BlipForConditionalGeneration on BERT's words."""
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipProcessor

    size = bert_tokenizer(folder)
    config = BlipConfig(
        vision_config=VISION,
        text_config={
            **TOWER,
            "vocab_size": size,
            "encoder_hidden_size": 32,
            "max_position_embeddings": 64,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "sep_token_id": 3,
            "pad_token_id": 0,
        },
    )
    _talkative(BlipForConditionalGeneration(config), seed).save_pretrained(folder)
    BlipProcessor(_image_processor(), BertTokenizer.from_pretrained(folder)).save_pretrained(folder)
    return folder


def _talkative(model: Any, seed: int) -> Any:
    """Weights large enough that words vary with the image, and special tokens do not crowd them out."""
    torch.manual_seed(seed)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return model


def _image_processor() -> Any:
    from transformers import BlipImageProcessor

    return BlipImageProcessor(size={"height": 32, "width": 32})


def _word_tokenizer() -> Any:
    """Whole words, and the beginning-of-sentence token first, as OPT's tokenizer has it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    entries = dict.fromkeys(["<s>", "</s>", "<pad>", "<unk>", *WORDS])
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(entries)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
