"""What a report shows rather than tells."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from pmg_conformance.printable import Printable

if TYPE_CHECKING:
    from pmg_sdk.media import Media

__all__ = ["Exhibit"]


class Exhibit(BaseModel):
    """One medium in a report.

    Attributes:
        label: what it is.
        modality: of the medium.
        picture: PNG bytes in base64; for sound, its picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Printable
    modality: Printable
    picture: str

    @classmethod
    def of(cls, label: str, medium: Media) -> Exhibit:
        """The medium as it is now."""
        png = medium.picture().to_bytes()
        return cls(label=label, modality=medium.modality, picture=base64.b64encode(png).decode("ascii"))
