"""Media to short text: what the language model will read."""

from __future__ import annotations

import unicodedata

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.samples import ODD
from pmg_conformance.subject import Subject

LONGEST = 400


@check("PMG-CAP-001", "captioner", "smoke", advice="Return one stripped, non-empty string for each medium.")
def captions_are_short_lines(subject: Subject) -> None:
    """Every caption is one short line of text.

    Captions become lines of a prompt: a line break would start another item, an empty one would number
    the wrong picture.
    """
    for caption in subject.adapter.caption(subject.media(4)):
        expect(isinstance(caption, str), "text", type(caption).__name__)
        expect(bool(caption.strip()), "a caption", repr(caption))
        expect(len(caption) <= LONGEST, f"at most {LONGEST} characters", len(caption))
        odd = [c for c in caption if unicodedata.category(c) in ("Cc", "Zl", "Zp")]
        expect(not odd, "one line without control characters", repr(caption[:80]))


@check("PMG-CAP-002", "captioner", "smoke", advice="Set the class variable `modality`.")
def its_modality_is_stated(subject: Subject) -> None:
    """It states the modality it reads, and the spec states the same.

    Items are sent to captioners by modality.
    """
    stated = getattr(subject.adapter, "modality", None)
    expect(isinstance(stated, str) and bool(stated), "a modality", repr(stated))
    registered = getattr(subject.spec, "modality", None)
    expect(registered in (None, stated), f"{stated!r} in the spec", repr(registered))


@check(
    "PMG-CAP-003", "captioner", "smoke", advice="Resize, resample and mix in the adapter, whatever the shape."
)
def odd_sizes_are_read(subject: Subject) -> None:
    """Media of odd sizes are described: a pixel, a strip, a large one; a sample, silence, long stereo.

    Media of a history come from anywhere.
    """
    odd = ODD.get(subject.modality)
    if odd is None:
        return
    captions = subject.adapter.caption(odd())
    expect(len(captions) == 3 and all(captions), "a caption for each", captions)
