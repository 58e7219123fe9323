"""What the dual encoder learns from: captions that are true of clips, against those that are not."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import ClapModel

from recipes.music.caption_pool import CaptionPool
from recipes.music.captions import ANY, joint_captions, preference_captions, scene_captions
from recipes.music.dual_encoder import read_texts, text_ids

__all__ = ["SHARPEST", "Captions", "contrast", "true_of"]


SHARPEST = 4.2
"""The logit scale's logarithm goes no further: sharper softmaxes learn from the nearest texts alone."""


def contrast(audio: Tensor, text: Tensor, fits: Tensor, logit_scale: Tensor) -> Tensor:
    """Mean over the positives of log P(clip | text) and of log P(text | clip).

    Args:
        audio, text: unit rows (B, width) and (T, width).
        fits: (B, T), 1 where a text is true of a clip, else 0: "piano" is true of many.
        logit_scale: logarithm of what cosines are multiplied by, as `ClapModel` keeps it.
    """
    logits = audio @ text.T * logit_scale.clamp(max=SHARPEST).exp()

    def side(values: Tensor, true: Tensor) -> Tensor:
        log_p = values.log_softmax(1)
        return -((log_p * true).sum(1) / true.sum(1).clamp_min(1)).mean()

    return side(logits, fits) + side(logits.T, fits.T)


def true_of(labels: Tensor, asked: Tensor) -> Tensor:
    """bool (B, T) of labels (B, 4) and captions' labels (T, 4)."""
    return ((asked[None] == ANY) | (asked[None] == labels[:, None])).all(2)


class Captions:
    """Every caption as MiniLM reads it, drawn by what a clip is.

    Attributes:
        hidden: (captions, 1, 384), of `read_texts`.
        asked: what each asks for, int64 (captions, 4).
    """

    def __init__(self, model: ClapModel, minilm: Path, device: torch.device) -> None:
        kinds = (preference_captions(), scene_captions(), joint_captions())
        self._pools = [CaptionPool(captions, device) for captions in kinds]
        self._first = [0, len(kinds[0]), len(kinds[0]) + len(kinds[1])]
        texts = [text for captions in kinds for text, _ in captions]
        self.hidden = read_texts(model, text_ids(minilm, texts).to(device))
        self.asked = torch.cat([pool.asked for pool in self._pools])
        self._whole = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], device=device).bool()

    def drawn(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of captions: the first half's taste, the middle half's scene, all that the last half is.

        Every clip has one at least. A third of tastes and scenes say one thing only.

        Args:
            labels: of the clips, int64 (n, 4).

        Returns:
            Rows of `hidden`, int64 (m,), and what they ask for, int64 (m, 4).
        """
        numbers = []
        quarter = len(labels) // 4
        for kind, pool in enumerate(self._pools):
            some = labels[kind * quarter : (kind + 2) * quarter]
            keep = self._whole[kind].expand(len(some), 4).clone()
            if kind < 2:
                one = torch.rand(len(some), device=labels.device)
                first, second = (0, 1) if kind == 0 else (2, 3)
                keep[:, second] &= one > 0.2
                keep[:, first] &= one < 0.87
            numbers.append(self._first[kind] + pool.drawn(some, keep))
        number = torch.cat(numbers)
        return number, self.asked[number]
