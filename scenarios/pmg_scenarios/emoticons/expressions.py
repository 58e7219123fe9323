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
    "My birthday cake has three layers",
    "Hehe, look at his face in this photo",
    "She said yes to dinner with me",
    "Give grandma a peck on the cheek from me",
    "Between you and me, I know who ate it",
    "The old song brought me to tears",
    "It rains and there is nothing to do",
    "Who broke my phone again?!",
    "I never thought I would see you here",
    "I am in bed with a book already",
    "My team plays in the big stadium",
    "The lights went out and I heard steps",
    "I have a headache since lunch",
    "So many stairs, give me a chair",
    "I will be there at five",
    "The bus stops at the corner",
)
"""One of every kind and two of none: together they lean towards no expression."""
