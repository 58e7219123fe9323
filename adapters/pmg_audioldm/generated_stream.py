"""What AudioLDM 2's language model makes of a text: tokens that stand for how it sounds (arXiv 2308.05734).

A GPT-2 reads CLAP's vector and T5's tokens of the text, each between tokens of its own, and goes on for a
few tokens in its own space. They say in text what the authors learnt from spectrograms, so only text can
make them: soft tokens have no way in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_audioldm.clap_text import ClapTextEncoder
from pmg_audioldm.folder import AudioLDM2Folder
from pmg_diffusion.folder import WEIGHTS
from pmg_diffusion.weights import load_network
from pmg_sdk.accelerator import in_batches
from pmg_sdk.interfaces import SupportsLoading, TextEncoder
from pmg_sdk.loading import Once

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["GeneratedStream"]

KEPT = 1024
"""Texts whose tokens are kept, about 25 MB."""

TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class _Networks:
    projection: Any
    language_model: Any


class GeneratedStream:
    """The second stream of every text, kept for when it is asked for again.

    Args:
        clap, t5: the encoders in the folder.
    """

    def __init__(self, folder: AudioLDM2Folder, clap: ClapTextEncoder, t5: TextEncoder, device: str) -> None:
        self._folder = folder
        self._clap = clap
        self._t5 = t5
        self._device = device
        self._loaded: Once[_Networks] = Once()
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def load(self, observer: Observer | None = None) -> None:
        """Load both networks and CLAP's encoder; a second call costs nothing."""
        self._networks  # noqa: B018 - loading is what reading it does
        for encoder in (self._clap, self._t5):
            if isinstance(encoder, SupportsLoading):
                encoder.load(observer)

    def of(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Tokens of every text, float32 (tokens, width), in order.

        Raises:
            ModelFolderError: the folder is incomplete or damaged. OutOfMemory: one text does not fit.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        made = dict(zip(new, in_batches(new, self._make, limit=TEXTS_AT_ONCE), strict=True))
        found = [made[text] if text in made else self._known[text] for text in texts]
        for text, tokens in zip(texts, found, strict=True):
            self._known[text] = tokens
            self._known.move_to_end(text)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found

    def _make(self, texts: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        import torch

        networks = self._networks
        with torch.inference_mode():
            prompt, mask = self._projected(texts)
            tokens = _continued(networks.language_model, prompt, mask, self._folder.stream_tokens)
        return list(tokens.float().cpu().numpy())

    def _projected(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """What the language model reads, (B, L, width), and its mask: 1 where a token is."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        projection = self._networks.projection
        vectors = [part.pooled for part in self._clap.encode(texts) if part.pooled is not None]
        rows = [torch.from_numpy(part.embeds) for part in self._t5.encode(texts)]
        lengths = torch.tensor([len(row) for row in rows])
        there = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
        made = projection(
            hidden_states=torch.from_numpy(np.stack(vectors))[:, None].to(projection.device),
            hidden_states_1=pad_sequence(rows, batch_first=True).to(projection.device),
            attention_mask=torch.ones(len(rows), 1, dtype=torch.long, device=projection.device),
            attention_mask_1=there.to(projection.device),
        )
        return made.hidden_states, made.attention_mask

    @property
    def _networks(self) -> _Networks:
        return self._loaded.get(self._read)

    def _read(self) -> _Networks:
        import torch
        from diffusers import AudioLDM2ProjectionModel
        from transformers import GPT2Model

        from pmg_sdk.accelerator import choose_device

        folder, device, exact = self._folder, torch.device(choose_device(self._device)), torch.float32
        return _Networks(
            load_network(
                folder, "projection_model", AudioLDM2ProjectionModel, device, stem=WEIGHTS, torch_dtype=exact
            ),
            load_network(folder, "language_model", GPT2Model, device, stem="model", dtype=exact),
        )


def _continued(model: Any, prompt: torch.Tensor, mask: torch.Tensor, count: int) -> torch.Tensor:
    """The next `count` hidden states, each read as the token after the last: (B, count, width).

    Positions count what is there, not the padding: a text gets the same tokens beside longer ones.
    """
    import torch

    read, place, past = prompt, (mask.cumsum(1) - 1).clamp(min=0), None
    made = []
    for _ in range(count):
        output = model(
            inputs_embeds=read, attention_mask=mask, position_ids=place, past_key_values=past, use_cache=True
        )
        read, past = output.last_hidden_state[:, -1:], output.past_key_values
        made.append(read)
        mask, place = torch.cat([mask, mask[:, -1:]], 1), place[:, -1:] + 1
    return torch.cat(made, 1)
