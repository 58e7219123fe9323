"""The last item supervises, the others are input (paper, section 3.3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from pmg_sdk.behavior import Behavior, Item
from pmg_sdk.errors import BehaviorError
from pmg_sdk.media import Media

__all__ = ["Supervised", "split"]


@dataclass(frozen=True)
class Supervised:
    """A sequence, parted.

    Attributes:
        given: what a model may read: nothing of it is the target, or came after it.
        target: the item that supervises.
        medium: the picture or sound of the target that is to be explained.
    """

    given: Behavior
    target: Item
    medium: Media


def split(behavior: Behavior, modality: str) -> Supervised:
    """Take the last liked item with a medium of `modality` off a sequence.

    What is made from a behaviour later (captions, keywords, a conversation from templates) is made from
    `given`, so the target cannot leak into it. Left out of `given` are, besides the target, everything after
    it and every earlier item that is the same one: of equal id, equal text or with an equal medium.
    The conversation is taken to be older than the target; a caller whose log says otherwise cuts it.

    Raises:
        BehaviorError: there is no such item, or nothing before it.
    """
    for place in range(len(behavior.history) - 1, -1, -1):
        target = behavior.history[place]
        media = [medium for medium in target.media if medium.modality == modality]
        if target.liked and media:
            break
    else:
        raise BehaviorError(
            f"a sequence to learn from ends in a liked item with media of modality {modality!r}; got none"
        )
    earlier = tuple(item for item in behavior.history[:place] if not _same(item, target))
    if not any(item.liked for item in earlier) and not behavior.conversation:
        raise BehaviorError("a sequence to learn from has an item or a message before its last; got none")
    return Supervised(behavior.model_copy(update={"history": earlier}), target, media[0])


def _same(item: Item, target: Item) -> bool:
    if target.id is not None and item.id == target.id:
        return True
    if target.text.strip() and item.text.strip().casefold() == target.text.strip().casefold():
        return True
    return any(medium == other for medium in item.media for other in target.media)
