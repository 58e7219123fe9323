"""The words of the emoji models: styles, colours, expressions, and the combinations held out of training."""

from __future__ import annotations

__all__ = [
    "COLOURS",
    "EXPRESSIONS",
    "FACES",
    "HELD_OUT_COLOURS",
    "HELD_OUT_EXPRESSIONS",
    "HELD_OUT_PAIRS",
    "STYLES",
    "STYLE_PHRASES",
]

STYLE_PHRASES: dict[str, str] = {
    "glossy": "glossy 3D style",
    "flat": "flat design style",
    "outline": "black and white outline style",
    "noto": "Noto style",
    "twemoji": "Twemoji style",
}
STYLES: tuple[str, ...] = tuple(STYLE_PHRASES)

COLOURS: dict[str, float] = {
    "red": 0.0,
    "orange": 28.0,
    "yellow": 50.0,
    "green": 125.0,
    "blue": 215.0,
    "purple": 275.0,
    "pink": 325.0,
}
"""Colour word -> hue in degrees."""

EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "happy": ("happy", "smiling", "joy", "cheerful", "grinning", "glad", "excited", "delighted"),
    "laughing": ("laughing", "tears of joy", "hilarious", "funny", "lol", "amused"),
    "in love": ("in love", "heart eyes", "adoring", "love", "crush", "admiring"),
    "kissing": ("kissing", "kiss", "blowing a kiss", "flirty", "affectionate"),
    "winking": ("winking", "wink", "playful", "joking", "teasing"),
    "crying": ("crying", "tears", "sobbing", "weeping", "heartbroken", "grief"),
    "sad": ("sad", "disappointed", "unhappy", "frowning", "gloomy", "lonely"),
    "angry": ("angry", "mad", "furious", "rage", "annoyed", "frustrated"),
    "surprised": ("surprised", "shocked", "astonished", "amazed", "wow", "open mouth"),
    "sleepy": ("sleepy", "sleeping", "zzz", "asleep", "bedtime", "good night"),
    "cool": ("cool", "sunglasses", "confident", "awesome", "chill"),
    "scared": ("scared", "afraid", "fearful", "terrified", "screaming", "horror", "nervous"),
    "sick": ("sick", "ill", "medical mask", "flu", "fever", "unwell"),
    "tired": ("tired", "weary", "exhausted", "worn out", "fed up", "stressed"),
    "silly": ("silly", "tongue out", "goofy", "crazy", "cheeky"),
    "starstruck": ("starstruck", "star eyes", "thrilled", "impressed", "fan"),
    "nerdy": ("nerdy", "glasses", "geek", "studious", "smart"),
}
"""Expression class -> keywords that name it, the class word first."""

FACES: dict[str, tuple[str, ...]] = {
    "happy": (
        "grinning face",
        "grinning face with big eyes",
        "grinning face with smiling eyes",
        "beaming face with smiling eyes",
        "smiling face with smiling eyes",
        "slightly smiling face",
        "grinning cat",
        "grinning cat with smiling eyes",
    ),
    "laughing": (
        "face with tears of joy",
        "rolling on the floor laughing",
        "grinning squinting face",
        "cat with tears of joy",
    ),
    "in love": ("smiling face with heart-eyes", "smiling face with hearts", "smiling cat with heart-eyes"),
    "kissing": (
        "face blowing a kiss",
        "kissing face with closed eyes",
        "kissing face",
        "kissing face with smiling eyes",
        "kissing cat",
    ),
    "winking": ("winking face",),
    "crying": ("loudly crying face", "crying face", "crying cat"),
    "sad": (
        "disappointed face",
        "frowning face",
        "slightly frowning face",
        "pensive face",
        "worried face",
    ),
    "angry": ("enraged face", "angry face", "face with steam from nose", "pouting cat"),
    "surprised": ("face with open mouth", "astonished face", "hushed face", "flushed face"),
    "sleepy": ("sleeping face", "sleepy face"),
    "cool": ("smiling face with sunglasses",),
    "scared": ("fearful face", "face screaming in fear", "anxious face with sweat", "weary cat"),
    "sick": ("face with medical mask", "face with thermometer", "nauseated face"),
    "tired": ("weary face", "tired face", "persevering face", "confounded face"),
    "silly": ("zany face", "face with tongue", "squinting face with tongue"),
    "starstruck": ("star-struck",),
    "nerdy": ("nerd face",),
}
"""Expression class -> names of the faces that wear it in the original art."""

HELD_OUT_EXPRESSIONS: tuple[tuple[str, str], ...] = (
    ("dog", "crying"),
    ("dog", "cool"),
    ("panda", "angry"),
    ("panda", "in love"),
    ("bear", "sleepy"),
    ("bear", "laughing"),
    ("frog", "surprised"),
    ("frog", "happy"),
    ("pig", "cool"),
    ("pig", "sick"),
    ("fox", "crying"),
    ("fox", "winking"),
    ("koala", "tired"),
    ("koala", "in love"),
    ("rabbit", "scared"),
    ("rabbit", "angry"),
    ("mouse", "laughing"),
    ("mouse", "sad"),
    ("monkey", "cool"),
    ("monkey", "sleepy"),
    ("tiger", "kissing"),
    ("tiger", "crying"),
    ("lion", "surprised"),
    ("hamster", "happy"),
)
"""(animal, expression) never drawn for training."""

HELD_OUT_COLOURS: tuple[tuple[str, str], ...] = (
    ("automobile", "purple"),
    ("automobile", "green"),
    ("t-shirt", "red"),
    ("t-shirt", "pink"),
    ("rocket", "orange"),
    ("guitar", "blue"),
    ("red apple", "purple"),
    ("red apple", "blue"),
    ("banana", "pink"),
    ("red heart", "green"),
    ("star", "red"),
    ("balloon", "yellow"),
    ("backpack", "green"),
    ("backpack", "yellow"),
    ("hot beverage", "blue"),
    ("fish", "red"),
    ("butterfly", "green"),
    ("octopus", "yellow"),
    ("umbrella", "orange"),
    ("key", "purple"),
    ("bell", "blue"),
    ("tulip", "blue"),
    ("jeans", "pink"),
    ("dress", "orange"),
)
"""(icon name, colour) never drawn for training."""

HELD_OUT_PAIRS: tuple[tuple[str, str], ...] = (
    ("cat face", "soccer ball"),
    ("dog face", "guitar"),
    ("panda", "pizza"),
    ("robot", "rose"),
    ("ghost", "birthday cake"),
    ("unicorn", "rocket"),
    ("bear", "balloon"),
    ("frog", "crown"),
    ("fox", "red apple"),
    ("octopus", "trophy"),
    ("penguin", "ice cream"),
    ("lion", "basketball"),
    ("house", "rainbow"),
    ("automobile", "sunflower"),
    ("alien", "hamburger"),
    ("pig face", "umbrella"),
    ("turtle", "camera"),
    ("snowman", "fire"),
    ("owl", "books"),
    ("koala", "star"),
    ("monkey face", "banana"),
    ("elephant", "strawberry"),
    ("dolphin", "wrapped gift"),
    ("butterfly", "key"),
)
"""(first icon name, second icon name) never drawn together for training."""
