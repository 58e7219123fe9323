"""The other side of the pipe: runs the `audioldm` package in its own interpreter, of Python 3.9 or newer.

Started as `python worker.py`; needs numpy and, once asked to load, torch and audioldm. pmg-sdk is not
imported: it may not even be installable there.

Protocol. Messages go over the worker's standard input and output, one answer or more to each question:

    8 bytes  length of the header, then of the arrays, both big-endian unsigned 32-bit
    header   JSON object in UTF-8; "is" names the kind of message
    arrays   a numpy .npz archive without objects; may be empty

| question | its fields and arrays | answer |
|---|---|---|
| load | checkpoint, architecture, config, text, device | loaded: width, max_tokens, rate |
| count | texts | counted: tokens |
| encode | texts | encoded; rows: float32 (texts, width) |
| generate | seeds, steps, guidance, seconds; conditioning, negative: float32 (n, width) | stepped, once a
  step, each of which waits for "go" or "stop"; then made; waveforms: float32 (n, length). After "stop":
  stopped |

Instead of an answer there may be "failed" with `kind` ("package", "checkpoint", "memory", "numbers" or
"other") and `message`. The worker ends when its input does.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import sys
from typing import IO, Any

import numpy as np

__all__ = ["Package", "main", "receive", "send"]

LENGTHS = struct.Struct(">II")
LARGEST = 1 << 30


def send(stream: IO[bytes], header: dict[str, Any], **arrays: Any) -> None:
    """Write one message."""
    buffer = io.BytesIO()
    if arrays:
        np.savez(buffer, **arrays)
    data, packed = json.dumps(header).encode("utf-8"), buffer.getvalue()
    stream.write(LENGTHS.pack(len(data), len(packed)) + data + packed)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Read one message: its header and arrays; None where the stream ends.

    Raises:
        ValueError: what comes is no message.
    """
    start = stream.read(LENGTHS.size)
    if len(start) < LENGTHS.size:
        return None
    lengths = LENGTHS.unpack(start)
    if max(lengths) > LARGEST:
        raise ValueError("a message was expected; got other bytes")
    data, packed = (_exactly(stream, length) for length in lengths)
    header = json.loads(data)
    if not isinstance(header, dict) or "is" not in header:
        raise ValueError("a JSON object with 'is' was expected as header")
    if not packed:
        return header, {}
    with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
        return header, {name: archive[name] for name in archive.files}


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise ValueError("the stream ended within a message")
    return data


class Failed(Exception):
    """What is answered instead: a kind and a message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Stopped(Exception):
    """The other side asked to stop."""


class Package:
    """AudioLDM as the package builds it, from a checkpoint on this machine.

    Args:
        checkpoint: path of a `.ckpt`, read without running what a pickle may hold.
        architecture: the package's name of it, "audioldm-s-full" for example.
        config: path of a YAML file in the package's own form; None takes that of the architecture.
        text: folder of the RoBERTa tokenizer and config.json; None lets the package ask its hub.
        device: "auto", or torch's name of one.
    """

    def __init__(
        self, *, checkpoint: str, architecture: str, config: str | None, text: str | None, device: str
    ) -> None:
        try:
            import torch
            import yaml
            from audioldm import LatentDiffusion
            from audioldm.utils import default_audioldm_config
        except ImportError as error:
            raise Failed("package", f"{error}") from error
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = device
        if config is None:
            settings = default_audioldm_config(architecture)
        else:
            with open(config, encoding="utf-8") as file:
                settings = yaml.safe_load(file)
        parameters = {**settings["model"]["params"], "device": device, "cond_stage_key": "text"}
        if text is not None:
            _roberta_from(text)
        with contextlib.redirect_stdout(sys.stderr):
            self.model = LatentDiffusion(**parameters)
        self.rate = int(settings["preprocessing"]["audio"]["sampling_rate"])
        self._fill(checkpoint)
        self.model.eval().to(device)
        self.model.device = device
        self.clap = self.model.cond_stage_model
        self.clap.embed_mode = "text"

    def _fill(self, checkpoint: str) -> None:
        import torch

        scalar = np.float64(0).__reduce__()[0]
        allowed: list[Any] = [np.dtype, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i8"))]
        allowed += [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
        try:
            with torch.serialization.safe_globals(allowed):
                found = torch.load(checkpoint, map_location="cpu", weights_only=True)
            tensors = dict(found["state_dict"])
        except Exception as error:
            raise Failed("checkpoint", f"{type(error).__name__}: {str(error)[:300]}") from error
        # Constants that transformers keeps with the weights in some versions.
        constants = ("position_ids", "token_type_ids", "attn_mask")
        own = self.model.state_dict()
        wrong = [name for name, tensor in tensors.items() if name in own and tensor.shape != own[name].shape]
        lacking = [name for name in own if name not in tensors and not name.endswith(constants)]
        unknown = [name for name in tensors if name not in own and not name.endswith(constants)]
        if wrong or lacking or unknown:
            raise Failed(
                "checkpoint",
                f"{len(wrong)} tensors of another shape, {len(lacking)} missing, {len(unknown)} unknown, "
                f"such as {(wrong + lacking + unknown)[0]}",
            )
        self.model.load_state_dict(tensors, strict=False)

    @property
    def max_tokens(self) -> int:
        """The longest text, special tokens included."""
        config = self.clap.model.text_branch.config
        positions = config.max_position_embeddings - config.pad_token_id - 1
        return int(min(512, positions, self.clap.tokenize.model_max_length))

    def count(self, texts: list[str]) -> list[int]:
        """Tokens of every text, without truncation."""
        return [len(ids) for ids in self.clap.tokenize(texts, verbose=False)["input_ids"]]

    def encode(self, texts: list[str]) -> Any:
        """CLAP's unit rows, float32, shape (texts, width).

        The package's own way replaces a tenth of all conditionings by the empty text, at random, as in
        training; this one does not.
        """
        import torch

        tokens = self.clap.tokenize(
            texts, padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        inputs = {name: tokens[name] for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            return self.clap.model.get_text_embedding(inputs).float().cpu().numpy()

    def generate(self, asked: dict[str, Any], arrays: dict[str, Any], step: Any) -> Any:
        """Waveforms, float32, shape (n, length), by the package's own DDIM sampler.

        A candidate's noises are drawn by a generator of its own, whatever else is in the batch.
        """
        import torch
        from audioldm.latent_diffusion import ddim

        # numpy's, for torch's drops all but 32 bits of a seed
        generators = [np.random.default_rng(seed) for seed in asked["seeds"]]

        def noise(shape: Any, device: Any, repeat: bool = False) -> Any:
            drawn = [each.standard_normal(tuple(shape[1:]), dtype=np.float32) for each in generators]
            return torch.from_numpy(np.stack(drawn)).to(device)

        class Sampler(ddim.DDIMSampler):  # type: ignore[misc]
            def register_buffer(self, name: str, value: Any) -> None:
                setattr(self, name, value)  # the package's own moves it to CUDA, there or not

        # The names under which the package's sampler looks them up.
        ddim.noise_like, ddim.make_ddim_timesteps = noise, _noise_levels
        model, n = self.model, len(generators)
        shape = (model.channels, int(asked["seconds"] * 25.6), model.latent_f_size)
        sides = [torch.from_numpy(arrays[name])[:, None].to(self.device) for name in SIDES]
        with torch.no_grad(), model.ema_scope():
            latents, _ = Sampler(model).sample(
                asked["steps"],
                n,
                shape,
                sides[0],
                eta=1.0,
                verbose=False,
                x_T=noise((n, *shape), self.device),
                unconditional_guidance_scale=asked["guidance"],
                unconditional_conditioning=sides[1],
                callback=lambda _: step(),
            )
            if not bool(torch.isfinite(latents).all()):
                raise Failed("numbers", "the denoised latents are no numbers")
            if latents.abs().max() > 1e2:  # as the package does
                latents = latents.clip(-10, 10)
            waves = model.mel_spectrogram_to_waveform(model.decode_first_stage(latents))
        return np.asarray(waves, dtype=np.float32).reshape(n, -1)


SIDES = ("conditioning", "negative")


def _noise_levels(*, num_ddim_timesteps: int, num_ddpm_timesteps: int, **_: Any) -> Any:
    """As many as asked for, spread evenly.

    Equal to the package's own where the number divides 1000; where it does not, that gives more of them,
    or one beyond the last.
    """
    return np.arange(num_ddim_timesteps) * num_ddpm_timesteps // num_ddim_timesteps + 1


def _roberta_from(folder: str) -> None:
    """Let the package find in `folder` what it looks for on a hub: tokenizer and configuration.

    The weights it would fetch are replaced by the checkpoint's anyway.
    """
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = transformers.RobertaConfig.from_pretrained(folder, local_files_only=True)
    for kind, made in (
        (transformers.RobertaTokenizer, lambda: tokenizer),
        (transformers.RobertaModel, lambda: transformers.RobertaModel(config)),
    ):
        kind.from_pretrained = staticmethod(lambda *_, made=made, **__: made())  # type: ignore[method-assign]


class Worker:
    """Answers questions until there are no more."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes]) -> None:
        self.questions = questions
        self.answers = answers
        self.package: Any = None

    def run(self) -> None:
        """Read, answer, and so on."""
        while (message := receive(self.questions)) is not None:
            try:
                self.answer(*message)
            except Stopped:
                send(self.answers, {"is": "stopped"})
            except Failed as error:
                send(self.answers, {"is": "failed", "kind": error.kind, "message": str(error)})
            except Exception as error:
                kind = "memory" if _is_memory(error) else "other"
                said = f"{type(error).__name__}: {str(error)[:500]}"
                send(self.answers, {"is": "failed", "kind": kind, "message": said})

    def answer(self, asked: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Answer one question."""
        what = asked.pop("is")
        if what == "load":
            self.package = Package(**asked)
            width = int(self.package.encode([""]).shape[1])
            limits = {"max_tokens": self.package.max_tokens, "rate": self.package.rate}
            send(self.answers, {"is": "loaded", "width": width, **limits})
        elif what == "count":
            send(self.answers, {"is": "counted", "tokens": self.package.count(asked["texts"])})
        elif what == "encode":
            send(self.answers, {"is": "encoded"}, rows=self.package.encode(asked["texts"]))
        elif what == "generate":
            made = self.package.generate(asked, arrays, self.step)
            send(self.answers, {"is": "made"}, waveforms=made)
        else:
            raise Failed("other", f"a known question was expected; got {what!r}")

    def step(self) -> None:
        """Tell of a step, and ask whether to go on."""
        send(self.answers, {"is": "stepped"})
        reply = receive(self.questions)
        if reply is None or reply[0]["is"] != "go":
            raise Stopped


def _is_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def main() -> None:
    """Speak over standard input and output; what the package prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, answers).run()


if __name__ == "__main__":
    main()
