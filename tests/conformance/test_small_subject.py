"""A small subject on a large page: faults in it must count, and its being small must not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pmg_conformance import check_adapter
from pmg_conformance.reference import ReferenceGenerator
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Image, Media
from pmg_sdk.progress import Observer


class Icon(ReferenceGenerator):
    """The reference's picture as an icon of 32 pixels on a white page of 256."""

    def __init__(self) -> None:
        super().__init__(side=32)

    @property
    def spec(self):  # type: ignore[no-untyped-def]
        import dataclasses

        return dataclasses.replace(super().spec, size=(256, 256))

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        return [_on_page(medium) for medium in super().generate(requests, observer)]

    def preview(self) -> list[Media]:
        return [_on_page(medium) for medium in super().preview()]


class Swaps(Icon):
    """Returns the first of a batch last."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        made = super().generate(requests, observer)
        return made[1:] + made[:1]


def _on_page(medium: Media) -> Image:
    page = np.full((256, 256, 3), 255, np.uint8)
    page[110:142, 110:142] = medium.picture().pixels
    return Image(page)


def test_a_right_one_conforms() -> None:
    report = check_adapter(Icon, tier="core")
    assert report.passed, [entry.explanation for entry in report.failures]


@pytest.mark.parametrize("check", ["PMG-ANY-013", "PMG-ANY-014"])
def test_a_wrong_one_does_not(check: str) -> None:
    assert not check_adapter(Swaps, only=[check]).passed
