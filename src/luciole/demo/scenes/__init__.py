"""The scenes: importing this package fills `SCENES`."""

from luciole.demo.scenes import fireflies, hills, sea, sky
from luciole.demo.scenes.stage import SCENES, Scene, Take

__all__ = ["SCENES", "Scene", "Take", "fireflies", "hills", "sea", "sky"]
