"""What a case is: a change to the good world, and what a verifier has to say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.vectors.log_writer import iso
from tests.vectors.world import NOW, World, good

GREEN, RED, UNSURE = "GREEN", "RED", "CANNOT TELL"


@dataclass(frozen=True)
class Case:
    """A folder of vectors."""

    name: str
    about: str
    verdict: str
    codes: tuple[str, ...]
    now: int
    build: Callable[[World], None]

    def files(self) -> dict[str, bytes]:
        world = good()
        self.build(world)
        return world.files

    def expected(self) -> dict[str, object]:
        codes = sorted(self.codes)
        return {"about": self.about, "now": iso(self.now), "verdict": self.verdict, "codes": codes}


CASES: dict[str, Case] = {}
Build = Callable[[World], None]


def case(
    name: str, verdict: str, *codes: str, about: str, now: int = NOW
) -> Callable[[Build], Build]:
    """Registers a case."""

    def register(build: Build) -> Build:
        assert name not in CASES
        assert (verdict == GREEN) == (codes == ())
        CASES[name] = Case(name, about, verdict, codes, now, build)
        return build

    return register


FOLDER = Path(__file__).parent
