"""Tokenizers of the real kinds with vocabularies of a few hundred entries."""

from __future__ import annotations

import string
from pathlib import Path

__all__ = ["bert_tokenizer", "clip_tokenizer", "roberta_tokenizer", "t5_tokenizer"]

WORDS = """
dog cat face animal glossy 3d style flat design black and white outline noto red apple blue heart
crying sad happy laughing cool tired love a the picture of with soccer ball
""".split()  # noqa: SIM905 - a list of forty quoted words is harder to read


def clip_tokenizer(folder: Path, *, pad_token: str = "<|endoftext|>", max_tokens: int = 77) -> int:
    """CLIP's byte-level BPE without merges: every letter is a token. Returns the vocabulary size."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    entries = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(
        vocab={entry: index for index, entry in enumerate(entries)},
        merges=[],
        pad_token=pad_token,
        model_max_length=max_tokens,
    )
    tokenizer.save_pretrained(folder)
    return len(entries)


def bert_tokenizer(folder: Path, *, max_tokens: int = 64) -> int:
    """BERT's WordPiece with a few whole words and all letters and digits. Returns the vocabulary size."""
    from transformers import BertTokenizer

    letters = string.ascii_lowercase + string.digits + string.punctuation
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *("##" + c for c in letters)]
    vocabulary = {entry: index for index, entry in enumerate(dict.fromkeys(entries))}
    BertTokenizer(vocab=vocabulary, model_max_length=max_tokens).save_pretrained(folder)
    return len(vocabulary)


def roberta_tokenizer(folder: Path, *, max_tokens: int = 64) -> int:
    """RoBERTa's byte-level BPE without merges: every byte is a token. Returns the vocabulary size."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import RobertaTokenizer

    entries = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    vocabulary = {entry: index for index, entry in enumerate(entries)}
    RobertaTokenizer(vocab=vocabulary, merges=[], model_max_length=max_tokens).save_pretrained(folder)
    return len(entries)


def t5_tokenizer(folder: Path, *, max_tokens: int = 64) -> int:
    """T5's unigram pieces: a few whole words and all letters. Returns the vocabulary size."""
    from transformers import T5Tokenizer

    letters = string.ascii_letters + string.digits + string.punctuation
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [("▁" + word, -4.0) for word in WORDS] + [(letter, -8.0) for letter in letters]
    vocabulary = list(dict(pieces).items())
    T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=max_tokens).save_pretrained(folder)
    return len(vocabulary)
