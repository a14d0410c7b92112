"""The scenes: importing this package fills `SCENES`."""

from luciole.demo.scenes import city, fireflies, hills, room, sea, sky
from luciole.demo.scenes.stage import SCENES, Scene, Take

__all__ = ["SCENES", "Scene", "Take", "city", "fireflies", "hills", "room", "sea", "sky"]
