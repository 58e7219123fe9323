"""The expressions an emoji face can have, and the words each is read by."""

from __future__ import annotations

__all__ = ["EXPRESSIONS", "NEUTRAL_MESSAGES"]

# Readings are single tokens of most vocabularies: rating one costs nothing beside reading the message.
EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "happy": ("happy", "glad", "joyful", "excited", "proud", "grateful"),
    "laughing": ("laughing", "funny", "hilarious", "laugh"),
    "in love": ("love", "romantic", "loving", "loved"),
    "kissing": ("kissing", "kiss"),
    "winking": ("playful", "secret", "teasing"),
    "crying": ("crying", "tears", "cry", "grieving", "weeping"),
    "sad": ("sad", "lonely", "disappointed", "alone", "unhappy", "sorry"),
    "angry": ("angry", "mad", "furious", "annoyed", "hate"),
    "surprised": ("surprised", "shocked", "amazed", "surprise"),
    "sleepy": ("sleepy", "sleep", "asleep", "bed", "dream"),
    "cool": ("cool", "awesome", "confident", "stylish", "brave", "strong"),
    "scared": ("scared", "afraid", "terrified", "fear", "frightened", "horror"),
    "sick": ("sick", "ill", "pain", "fever", "disease"),
    "tired": ("tired", "exhausted", "fatigue", "weary", "stressed", "worn"),
}

NEUTRAL_MESSAGES = (
    "Hehe, look at his face in this photo",
    "Give grandma a peck on the cheek from me",
    "The old song brought me to tears",
    "Who broke my phone again?!",
    "I am in bed with a book already",
    "The lights went out and I heard steps",
    "So many stairs, give me a chair",
    "The bus stops at the corner",
)
"""Feelings of many kinds: together they lean towards none. Each is read once, when a model is first asked."""
