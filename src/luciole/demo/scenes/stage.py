"""What a scene is: a named function that draws the frames of one take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from luciole.demo.canvas import Frame
from luciole.demo.draw import FRAMES_PER_SECOND


@dataclass(frozen=True)
class Take:
    """One shooting of a scene: how long, with which chance, in which look."""

    seconds: float
    seed: int
    look: str = ""
    rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng(self.seed))

    @property
    def frames(self) -> int:
        return round(self.seconds * FRAMES_PER_SECOND)

    def times(self) -> Iterator[tuple[float, float]]:
        """For each frame its time in seconds and the part of the take that has passed, 0..1."""
        for number in range(self.frames):
            yield number / FRAMES_PER_SECOND, number / self.frames


Scene = Callable[[Take], Iterator[Frame]]

SCENES: dict[str, Scene] = {}


def scene(name: str) -> Callable[[Scene], Scene]:
    """Register a scene under its name."""

    def register(draw: Scene) -> Scene:
        SCENES[name] = draw
        return draw

    return register
