"""The one way in which the rest of feed uses ranking: a few calls with plain values, so that what
is behind them can move into processes of its own when a cell outgrows one machine."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.feed.ranking import page
from luciole.cell.feed.ranking.budget import Budget, budget
from luciole.cell.feed.ranking.columns import Columns
from luciole.cell.feed.ranking.model import Clip, Slot
from luciole.cell.feed.ranking.packed import Clips
from luciole.cell.feed.ranking.page import MOST, Asked, Drawn, Viewer
from luciole.cell.feed.ranking.weights import Weights, published
from luciole.cell.feed.ranking.world import World

__all__ = ["MOST", "Asked", "Drawn", "Ranker", "Viewer", "Weights", "published", "recompute"]


class Ranker:
    """What ranking knows, in this process."""

    def __init__(self, weights: Weights, data: bytes | None = None) -> None:
        """A new one, or the one that was dumped. Raises ValueError and msgspec.DecodeError where
        the dump cannot be used."""
        self.weights = weights
        self._world = World(weights) if data is None else World.load(weights, data)

    @property
    def clips(self) -> int:
        return self._world.clips

    @property
    def events(self) -> int:
        return self._world.events

    def fill(self, clips: Clips) -> None:
        """Takes in all clips at once, before any other. Raises ValueError after one."""
        self._world.fill(clips)

    def put(self, clip: Clip) -> None:
        """Takes in a clip that is new or changed."""
        self._world.put(clip)

    def drop(self, clip_id: UUID) -> None:
        """The clip is not shown any more."""
        self._world.drop(clip_id)

    def forget(self, clip_id: UUID) -> None:
        """The clip is no more: nothing that is dumped names it."""
        self._world.forget(clip_id)

    def apply(self, events: Columns) -> None:
        """Learns from the next events of the log."""
        self._world.apply(events)

    def tidy(self, now: float) -> None:
        """Forgets sessions whose day is over."""
        self._world.tidy(now)

    def dump(self) -> bytes:
        """All that it knows, for a new one."""
        return self._world.dump()

    def digest(self) -> str:
        """The same in two processes that know the same."""
        return self._world.digest()

    def budget(self, now: float) -> Budget:
        """What new clips are promised by the last 24 hours."""
        return budget(self._world, now)

    def draw(self, asked: Asked, viewer: Viewer | None) -> Drawn:
        """The next clips; without a viewer the same for everybody. Empty where none is left."""
        if viewer is None:
            return page.public(self._world, asked)
        return page.learning(self._world, asked, viewer)


def recompute(inputs: bytes, weights: Weights) -> list[Slot]:
    """The slots of a draw, computed anew from what it was computed from."""
    return list(page.recompute(inputs, weights))
