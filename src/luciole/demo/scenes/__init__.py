"""The scenes: importing this package fills `SCENES`."""

from luciole.demo.scenes import (
    cat,
    city,
    deep,
    fireflies,
    flight,
    growth,
    hills,
    letters,
    railway,
    sea,
    shapes,
    sky,
    winter,
)
from luciole.demo.scenes.stage import SCENES, Scene, Take

__all__ = [
    "SCENES",
    "Scene",
    "Take",
    "cat",
    "city",
    "deep",
    "fireflies",
    "flight",
    "growth",
    "hills",
    "letters",
    "railway",
    "sea",
    "shapes",
    "sky",
    "winter",
]
