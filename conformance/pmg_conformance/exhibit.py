"""What a report shows rather than tells."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from pmg_conformance.printable import Printable
from pmg_sdk.audio import Audio

if TYPE_CHECKING:
    from pmg_sdk.media import Media

__all__ = ["Exhibit"]


class Exhibit(BaseModel):
    """One medium in a report.

    Attributes:
        label: what it is.
        modality: of the medium.
        picture: PNG bytes in base64; for sound, its picture.
        sound: WAV bytes in base64; empty where there is nothing to hear.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Printable
    modality: Printable
    picture: str
    sound: str = ""

    @classmethod
    def of(cls, label: str, medium: Media) -> Exhibit:
        """The medium as it is now."""
        return cls(
            label=label,
            modality=medium.modality,
            picture=_base64(medium.picture().to_bytes()),
            sound=_base64(medium.to_bytes()) if isinstance(medium, Audio) else "",
        )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
