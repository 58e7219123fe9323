"""What an adapter answered once, in a file: an upgrade that changes answers is then seen where it enters.

Every answer is kept at the strictest layer that is the same on every machine: counts of tokens and text
exactly, embeddings within a tolerance, media as a thumbnail. Pixels and samples are never compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from pmg_conformance.check import Kind
from pmg_conformance.contents import contents
from pmg_conformance.failure import ConformanceFailure, NotRun
from pmg_conformance.perceptual import SIDE, delta_e, thumbnail
from pmg_conformance.printable import printable
from pmg_conformance.samples import TEXTS
from pmg_conformance.spec import SPEC_VERSION
from pmg_conformance.work import as_numbers
from pmg_sdk.audio import Audio
from pmg_sdk.errors import AdapterError, InputError
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Media
from pmg_sdk.spectrogram import mel_levels
from pmg_sdk.storage import write_text

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = [
    "EMBEDDING_TOLERANCE",
    "PICTURE_TOLERANCE",
    "SOUND_TOLERANCE",
    "Golden",
    "Layer",
    "layers",
    "load_golden",
    "record",
]

EMBEDDING_TOLERANCE = 1e-3
"""Largest difference of embeddings, relative to their largest number: other kernels sum in another order."""

PICTURE_TOLERANCE = 3.0
"""Largest `delta_e` of thumbnails: a little more than is just noticeable."""

SOUND_TOLERANCE = 1.5
"""Largest mean difference of levels in dB: a little more than is just noticeable."""

_MOST_NUMBERS = 4096
"""Of one embedding; of a larger one so many are kept, evenly spaced."""

_MOST_BYTES = 64 * 2**20

_Byte = Annotated[int, Field(ge=0, le=255)]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Numbers(_Plain):
    """An embedding: its whole shape, and its numbers or evenly spaced ones of them."""

    shape: tuple[int, ...]
    values: tuple[FiniteFloat, ...]

    @classmethod
    def of(cls, answer: Any) -> Numbers:
        """The embedding in seven digits.

        Raises:
            ConformanceFailure: something in it is no number.
        """
        array = as_numbers(answer)
        if not np.isfinite(array).all():
            raise ConformanceFailure("finite numbers", "NaN or infinity")
        places = np.linspace(0, array.size - 1, min(array.size, _MOST_NUMBERS)).round().astype(int)
        return cls(shape=array.shape, values=tuple(float(f"{v:.7g}") for v in array.ravel()[places]))

    def distance(self, other: Answer) -> float:
        """The largest difference relative to the largest number; infinite where shapes differ."""
        if not isinstance(other, Numbers) or (self.shape, len(self.values)) != (
            other.shape,
            len(other.values),
        ):
            return float("inf")
        one = np.array(self.values)
        return float(np.abs(one - other.values).max(initial=0) / max(np.abs(one).max(initial=0), 1e-6))


class Picture(_Plain):
    """A medium: the size of its picture and a thumbnail, row by row."""

    size: tuple[int, int]
    thumbnail: Annotated[tuple[_Byte, ...], Field(min_length=SIDE * SIDE * 3, max_length=SIDE * SIDE * 3)]

    @classmethod
    def of(cls, medium: Media) -> Picture:
        """The medium, or what stands for it."""
        picture = medium.picture()
        return cls(size=picture.size, thumbnail=tuple(thumbnail(picture).ravel().tolist()))

    def distance(self, other: Answer) -> float:
        """`delta_e`; infinite where sizes differ."""
        if not isinstance(other, Picture) or self.size != other.size:
            return float("inf")
        one, two = (np.array(each.thumbnail, np.uint8).reshape(SIDE, SIDE, 3) for each in (self, other))
        return delta_e(one, two)


class Sound(_Plain):
    """A sound: its size, and how loud 16 bands are in 16 parts of its time, dBFS, band by band."""

    length: int
    channels: int
    sample_rate: int
    levels: Annotated[tuple[FiniteFloat, ...], Field(min_length=SIDE * SIDE, max_length=SIDE * SIDE)]

    @classmethod
    def of(cls, sound: Audio) -> Sound:
        """The sound in tenths of a decibel."""
        levels = mel_levels(sound.waveform, sound.sample_rate, bands=SIDE, columns=SIDE)
        return cls(
            length=sound.length,
            channels=sound.channels,
            sample_rate=sound.sample_rate,
            levels=tuple(round(float(level), 1) for level in levels.ravel()),
        )

    def distance(self, other: Answer) -> float:
        """The mean difference of the levels in dB; infinite where sizes differ."""
        if not isinstance(other, Sound) or self.form != other.form:
            return float("inf")
        return float(np.abs(np.subtract(self.levels, other.levels)).mean())

    @property
    def form(self) -> tuple[int, int, int]:
        """Channels, length and rate."""
        return self.channels, self.length, self.sample_rate


Answer = int | str | Numbers | Picture | Sound


class Layer(_Plain):
    """The answers of one method, in the order of the sample items."""

    name: str
    answers: tuple[Answer, ...]


class Golden(_Plain):
    """What one adapter answered to the sample items.

    Attributes:
        format: what the file is.
        spec_version: whose sample items they are.
        kind: the role.
        adapter: its class, "module:Class".
        options: it was made with; for whoever wonders, as paths differ between machines.
        items: a hash of the sample items.
        layers: the answers, the strictest layer first.
    """

    format: Literal["pmg conformance golden 1"] = "pmg conformance golden 1"
    spec_version: str
    kind: Kind
    adapter: str
    options: dict[str, Any] = Field(default_factory=dict)
    items: str
    layers: tuple[Layer, ...]

    def must_fit(self, subject: Subject) -> None:
        """Compare what it is of with the subject.

        Raises:
            InputError: it is of another adapter, role or version of the contract.
        """
        try:
            made = adapter_name(subject)
        except (Exception, SystemExit):  # what cannot be made fails PMG-ANY-001
            made = self.adapter
        asked = {"contract": SPEC_VERSION, "role": subject.kind, "adapter": made}
        has = {"contract": self.spec_version, "role": self.kind, "adapter": self.adapter}
        for what, wanted in asked.items():
            if has[what] != wanted:
                raise InputError(
                    f"a golden file of {what} {wanted} was expected; this one is of {printable(has[what])}. "
                    "Record another with `pmg conformance record`."
                )

    def compare(self, subject: Subject) -> None:
        """Ask the subject again.

        Raises:
            ConformanceFailure: it answers otherwise.
            NotRun: the sample items are others.
        """
        if self.items != _items(subject):
            raise NotRun("it was recorded on other sample items: give the same --media or --pairs")
        others = {layer.name: layer.answers for layer in layers(subject)}
        for layer in self.layers:
            _compare(layer, others.get(layer.name, ()), self._cause(subject))

    def _cause(self, subject: Subject) -> str:
        if self.options != _plain_options(subject):
            return f"other options than when it was recorded: {json.dumps(self.options)}"
        return "weights, tokenizer or a library changed"

    def to_json(self) -> str:
        """Indented JSON, every list of numbers in one line."""
        text = json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False)
        # Within a JSON string there is no line end, so what users wrote is not touched.
        return re.sub(r"\[\n[-+\d.e,\s]+\]", lambda found: " ".join(found[0].split()), text) + "\n"

    def save(self, path: Path) -> Path:
        """Write it, whole or not at all.

        Raises:
            StorageError: the file cannot be written.
        """
        return write_text(path, self.to_json())


def record(subject: Subject) -> Golden:
    """Ask an adapter for its answers to the sample items.

    Raises:
        AdapterError: it fails.
        InputError: the subject is a scenario, which answers nothing.
    """
    if subject.kind == "scenario":
        raise InputError("an adapter was expected; a scenario has no answers to record")
    try:
        return Golden(
            spec_version=SPEC_VERSION,
            kind=subject.kind,
            adapter=adapter_name(subject),
            options=_plain_options(subject),
            items=_items(subject),
            layers=tuple(layers(subject)),
        )
    except (Exception, SystemExit) as error:  # an adapter is foreign code
        raise AdapterError(
            f"{subject.name} could not be recorded ({type(error).__name__}: {printable(str(error))[:300]}). "
            "Mend what `pmg conformance` finds first."
        ) from error


def load_golden(path: Path) -> Golden:
    """What `Golden.save` wrote.

    Raises:
        InputError: there is no such file, or it is none of these.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise InputError(f"a golden file of at most {_MOST_BYTES >> 20} MiB was expected at {path}")
        return Golden.model_validate_json(data)
    except OSError as error:
        raise InputError(f"a golden file was expected at {path} ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"a golden file was expected at {path}; {printable(where)}: {first['msg']}. "
            "Write it with `pmg conformance record`."
        ) from error


def layers(subject: Subject) -> Iterator[Layer]:
    """What the subject answers now, the strictest layer first."""
    made = subject.adapter
    encoder = {"text_encoder": made, "generator": getattr(made, "text_encoder", None)}.get(subject.kind)
    if encoder is not None:
        yield Layer(name="count_tokens", answers=tuple(map(int, encoder.count_tokens(TEXTS))))
    if encoder is not None and subject.kind == "generator":
        yield Layer(name="text_encoder.encode", answers=tuple(map(Numbers.of, encoder.encode(TEXTS))))
    if subject.kind == "llm":
        told = [chat[-1]["content"] for chat in subject.required_works[0].items]
        yield Layer(name="count_tokens", answers=tuple(int(made.count_tokens(text)) for text in told))
    for work in subject.required_works:
        yield Layer(name=work.name, answers=tuple(map(_kept, work.do(made, work.items))))


def adapter_name(subject: Subject) -> str:
    """The class of what is made, as "module:Class": the same by whatever name it is found."""
    made = type(subject.adapter)
    return f"{made.__module__}:{made.__qualname__}"


def _kept(answer: Any) -> Answer:
    if isinstance(answer, str):
        # No file can hold halves of surrogate pairs.
        return answer.encode("utf-8", "backslashreplace").decode()
    if isinstance(answer, Audio):
        return Sound.of(answer)
    return Picture.of(answer) if isinstance(answer, Media) else Numbers.of(answer)


def _compare(layer: Layer, answers: Sequence[Answer], cause: str) -> None:
    if len(answers) != len(layer.answers):
        raise ConformanceFailure(f"{layer.name}: {len(layer.answers)} answers", str(len(answers)), cause)
    for place, (before, now) in enumerate(zip(layer.answers, answers, strict=True)):
        where = f"{layer.name}, item {place}"
        if isinstance(before, int | str):
            if now != before:
                raise ConformanceFailure(f"{where}: {before!r:.200}", f"{now!r:.200}", cause)
            continue
        limit = _TOLERANCES[type(before)]
        distance = before.distance(now)
        if distance > limit:
            got = f"{distance:.3g}" if np.isfinite(distance) else f"{_form(now)} instead of {_form(before)}"
            raise ConformanceFailure(f"{where}: a distance of at most {limit:g} to the file", got, cause)


_TOLERANCES = {Numbers: EMBEDDING_TOLERANCE, Picture: PICTURE_TOLERANCE, Sound: SOUND_TOLERANCE}


def _form(answer: Answer) -> str:
    if isinstance(answer, Sound):
        return "a sound of {} channels of {:,} samples at {:,} Hz".format(*answer.form)
    if isinstance(answer, Numbers):
        return f"shape {answer.shape}"
    return f"a picture of {answer.size}" if isinstance(answer, Picture) else repr(answer)[:100]


def _items(subject: Subject) -> str:
    digest = hashlib.sha256()
    for work in subject.required_works:
        for item in work.items:
            if isinstance(item, GenerationRequest):
                item = [item.seed, item.text, item.steps]  # the conditioning is an answer already
            data = contents(item) if isinstance(item, Media) else json.dumps(item).encode()
            digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()[:16]


def _plain_options(subject: Subject) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dict(subject.options), default=repr))
    return plain
