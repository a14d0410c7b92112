"""The scenes: importing this package fills `SCENES`."""

from luciole.demo.scenes import city, fireflies, growth, hills, letters, room, sea, shapes, sky
from luciole.demo.scenes.stage import SCENES, Scene, Take

__all__ = ["SCENES", "Scene", "Take", "city", "fireflies", "growth", "hills", "letters", "room", "sea", "shapes", "sky"]
