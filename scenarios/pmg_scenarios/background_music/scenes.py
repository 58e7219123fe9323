"""What the music of a scene is like, and the words each kind of scene is read by."""

from __future__ import annotations

from pmg_scenarios.background_music.vocabulary import scene_keyword

__all__ = ["NEUTRAL_SCENES", "SCENES"]

# Readings are single tokens of most vocabularies: rating one costs nothing beside reading the scene.
SCENES: dict[str, tuple[str, ...]] = {
    scene_keyword("tense", "fast"): ("chase", "fight", "escape", "battle", "attack"),
    scene_keyword("tense", "slow"): ("horror", "fear", "ghost", "danger", "darkness", "mystery"),
    scene_keyword("heroic", "fast"): ("race", "charge", "courage", "action"),
    scene_keyword("heroic", "medium"): ("adventure", "journey", "quest", "hero", "exploration"),
    scene_keyword("heroic", "slow"): ("victory", "glory", "honor", "ceremony", "triumph"),
    scene_keyword("cheerful", "fast"): ("party", "celebration", "dance", "festival"),
    scene_keyword("cheerful", "medium"): ("fun", "friends", "market", "playing", "joy"),
    scene_keyword("calm", "slow"): ("sleep", "rest", "night", "peace", "meditation"),
    scene_keyword("calm", "medium"): ("garden", "nature", "fishing", "reading", "home"),
    scene_keyword("sad", "slow"): ("grief", "death", "farewell", "loss", "funeral"),
    scene_keyword("sad", "medium"): ("lonely", "rain", "memory", "regret"),
}
"""Keywords of a scene's music, by mood and tempo, each with the scenes it fits."""

NEUTRAL_SCENES = (
    "The player opens the inventory",
    "A dialogue between two people in a room",
    "The camera moves over the town",
    "The level begins",
    "Someone walks along a street with a bag",
    "The menu of the game",
    "A man talks about his work",
    "The second chapter",
)
"""Scenes of many kinds: together they lean towards none. Each is read once, when a model is first asked."""
