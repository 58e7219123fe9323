"""A generator that takes its time at every step."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from pmg_conformance.reference import ReferenceGenerator
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Media
from pmg_sdk.progress import Observer


class SlowGenerator(ReferenceGenerator):
    """Says that it has begun, then takes a minute."""

    def generate(
        self, requests: Sequence[GenerationRequest], observer: Observer | None = None
    ) -> list[Media]:
        print("denoising", file=sys.stderr, flush=True)  # noqa: T201  (the test waits for this line)
        time.sleep(60)
        return super().generate(requests, observer)
