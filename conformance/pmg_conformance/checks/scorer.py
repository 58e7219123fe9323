"""d_p and d_t: what the choice relies on."""

from __future__ import annotations

import numpy as np

from pmg_conformance.check import check
from pmg_conformance.failure import expect
from pmg_conformance.samples import LONG_TEXT, ODD, SCRIPTS, TEXTS
from pmg_conformance.subject import Subject


@check("PMG-SCO-001", "scorer", "smoke", advice="Return one float32 row for every input, all of one width.")
def text_and_media_share_a_space(subject: Subject) -> None:
    """Text and media are embedded as finite float32 rows of one width.

    The core takes the cosine between them.
    """
    media = subject.media(3)
    text, seen = subject.adapter.embed_text(list(TEXTS)), subject.adapter.embed_media(media)
    for name, rows, count in (("text", text, len(TEXTS)), ("media", seen, len(media))):
        expect(rows.dtype == np.float32, f"float32 {name} rows", rows.dtype)
        expect(rows.ndim == 2 and len(rows) == count, f"{count} {name} rows", rows.shape)
        expect(bool(np.isfinite(rows).all()), f"finite {name} rows", "values that are no numbers")
        expect(bool((np.linalg.norm(rows, axis=1) > 0).all()), f"{name} rows of some length", "zeros")
    expect(text.shape[1] == seen.shape[1], "one width", f"{text.shape[1]} and {seen.shape[1]}")


@check("PMG-SCO-002", "scorer", "smoke", advice="Return an array of shape (0, width).")
def nothing_has_a_shape_too(subject: Subject) -> None:
    """Of nothing, an array of no rows is made.

    Code that stacks and multiplies needs its second dimension.
    """
    for rows in (subject.adapter.embed_text([]), subject.adapter.embed_media([])):
        expect(rows.ndim == 2 and len(rows) == 0, "shape (0, width)", rows.shape)


@check("PMG-SCO-003", "scorer", "smoke", advice="Cut the text to the encoder's length.")
def long_texts_are_cut(subject: Subject) -> None:
    """A text that is too long is cut, not refused.

    Keyword lists grow; a crash after five candidates were made costs them all.
    """
    rows = subject.adapter.embed_text([LONG_TEXT])
    expect(rows.shape[0] == 1 and bool(np.isfinite(rows).all()), "one finite row", rows.shape)


@check("PMG-SCO-004", "scorer", "smoke", advice="Accept any Unicode text, the empty one too.")
def every_script_is_scored(subject: Subject) -> None:
    """Other scripts, emoji, control characters and the empty text are scored, not refused.

    Users write as they write.
    """
    rows = subject.adapter.embed_text([*SCRIPTS, ""])
    expect(
        len(rows) == len(SCRIPTS) + 1 and bool(np.isfinite(rows).all()), "a finite row for each", rows.shape
    )


@check(
    "PMG-SCO-005", "scorer", "smoke", advice="Resize, resample and mix in the adapter, whatever the shape."
)
def odd_sizes_are_seen(subject: Subject) -> None:
    """Media of odd sizes are scored: a pixel, a strip, a large one; a sample, silence, long stereo.

    Media of a history come from anywhere.
    """
    odd = ODD.get(subject.modality)
    if odd is None:
        return
    rows = subject.adapter.embed_media(odd())
    expect(len(rows) == 3 and bool(np.isfinite(rows).all()), "a finite row for each", rows.shape)


@check("PMG-SCO-006", "scorer", "core", advice="Check normalisation, channel order and preprocessing.")
def a_text_fits_its_own_medium_better(subject: Subject) -> None:
    """Texts fit their own media better than those of others, on average.

    Everything else is right in a scorer that cannot do this, and it is useless.
    """
    pairs = subject.need("pairs", "give texts with media that show them (--pairs FOLDER of TEXT.png)")
    text = subject.adapter.embed_text([text for text, _ in pairs])
    seen = subject.adapter.embed_media([medium for _, medium in pairs])
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (text, seen)]
    cosines = unit[0] @ unit[1].T
    own = float(np.diag(cosines).mean())
    other = float(cosines[~np.eye(len(pairs), dtype=bool)].mean())
    right = float((cosines.argmax(1) == np.arange(len(pairs))).mean())
    subject.show(f"pairs, {right:.0%} found first", *(medium for _, medium in pairs[:8]))
    first = min(3, len(pairs))
    expect(
        own > other and right >= first / len(pairs),
        f"own above others, and {first} of {len(pairs)} found first",
        f"{own:.3f} and {other:.3f}, {right:.0%} found first",
    )


@check("PMG-SCO-007", "scorer", "smoke", advice="Set the class variable `modality`.")
def its_modality_is_stated(subject: Subject) -> None:
    """It states the modality it judges, and the spec states the same.

    The pipeline refuses a scorer of another modality than the generator's.
    """
    stated = getattr(subject.adapter, "modality", None)
    expect(isinstance(stated, str) and bool(stated), "a modality", repr(stated))
    registered = getattr(subject.spec, "modality", None)
    expect(registered in (None, stated), f"{stated!r} in the spec", repr(registered))
