"""From a plan to scored candidates: generate in one batch, embed, measure (paper, section 3.4)."""

from __future__ import annotations

from collections.abc import Sequence

from pmg_sdk.answers import one_for_each
from pmg_sdk.errors import GenerationError
from pmg_sdk.interfaces import Generator, Scorer
from pmg_sdk.media import Media
from pmg_sdk.plan import KeywordParts, Plan
from pmg_sdk.progress import Observer, check_cancelled
from pmg_sdk.selection import Candidate, cosines, score

__all__ = ["make", "measure"]


def make(
    plan: Plan, *, generator: Generator, scorer: Scorer, alpha: float, observer: Observer
) -> list[Candidate]:
    """Make every draft of the plan and score it, in the plan's order.

    Raises:
        GenerationError: the generator gave another number of media than asked for.
        Cancelled: the observer asked to stop.
        SelectionError: a score is not a number.
    """
    media = generator.generate([draft.request for draft in plan.drafts], observer)
    if len(media) != len(plan.drafts):
        raise GenerationError(
            f"one medium for each of {len(plan.drafts)} requests was expected; "
            f"{type(generator).__name__} gave {len(media)}"
        )
    check_cancelled(observer)
    observer.start("score", len(media))
    scores = measure(media, plan.keywords, scorer)
    observer.advance("score", len(media))
    return [
        Candidate(draft.weights, draft.request.seed, medium, d_p, d_t, score(d_p, d_t, alpha))
        for draft, medium, (d_p, d_t) in zip(plan.drafts, media, scores, strict=True)
    ]


def measure(
    media: Sequence[Media], keywords: KeywordParts, scorer: Scorer
) -> list[tuple[float | None, float]]:
    """(d_p, d_t) of every medium; d_p is None where there are no preference keywords.

    Raises:
        BackendError: the scorer gave another number of embeddings than asked for.
        SelectionError: an embedding is not made of numbers.
    """
    texts = [keywords.target.text] + ([keywords.preference.text] if keywords.preference else [])
    who = f"the scorer {type(scorer).__name__}"
    e_text = one_for_each(scorer.embed_text(texts), texts, who)
    e_M = one_for_each(scorer.embed_media(media), media, who)
    d_t = cosines(e_M, e_text[0]).tolist()
    d_p = cosines(e_M, e_text[1]).tolist() if keywords.preference else [None] * len(media)
    return list(zip(d_p, d_t, strict=True))
