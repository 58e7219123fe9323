"""Tiny random LLaMA folders, shaped like SmolLM2, with a byte-level tokenizer trained on a few lines."""

from __future__ import annotations

from pathlib import Path

import torch

__all__ = ["CHATML", "llama_folder"]

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
    "{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

_LINES = (
    "Which animal does the user like most? cat, dog, frog, robot",
    "Emoji the user likes: cat face, glossy 3D style",
    "Messages of the user: I am happy, sad, angry, sleepy",
    "A face that is happy. You extract what a user likes.",
)


def llama_folder(
    folder: Path, *, chat_template: str | None = CHATML, context: int = 512, seed: int = 0
) -> Path:
    """A LlamaForCausalLM of two layers with grouped attention heads, and its tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_LINES, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )
    if chat_template is not None:
        fast.chat_template = chat_template
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=True,
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        # Freshly made weights answer one token over and over; wider ones say many things.
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.mul_(8.0)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
