"""Everything that ranking knows and that is nobody's; the front door to its state."""

from __future__ import annotations

from . import state
from .fold import Fold
from .weights import Weights


class World(Fold):
    """A fold over clips and events that can be kept as bytes and compared by a digest."""

    def dump(self) -> bytes:
        """The whole state, for `load`."""
        return state.dump(self)

    @classmethod
    def load(cls, weights: Weights, data: bytes) -> World:
        """The world that was dumped; goes on as the one that was dumped would have. Raises
        msgspec.DecodeError where the bytes are damaged, ValueError where they are of another
        format or other weights."""
        world = cls(weights)
        state.load(world, data)
        return world

    def digest(self) -> str:
        """SHA-256 (hex) over the state, the same in each process that knows the same."""
        return state.digest(self)
