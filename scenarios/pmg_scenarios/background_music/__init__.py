"""Background music for a scene, of the kind a listener likes (paper, introduction: video games)."""

from pmg_scenarios.background_music.scenario import BACKGROUND_MUSIC
from pmg_scenarios.background_music.scenes import SCENES

__all__ = ["BACKGROUND_MUSIC", "SCENES"]
