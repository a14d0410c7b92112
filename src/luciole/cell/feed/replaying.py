"""Whether a page follows from what was logged of it: the same inputs, weights and seed give it
again.

What this viewer did not want to see was left out after each draw, so a page is what stayed of its
draws, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from luciole.cell.feed.model import Page
from luciole.cell.feed.ranker import Weights, recompute
from luciole.cell.feed.ranking.model import Slot


class Replayed(msgspec.Struct, frozen=True):
    """The slots that were given out, and what was computed anew in their place."""

    given: list[Slot]
    anew: list[Slot]

    @property
    def is_same(self) -> bool:
        return self.given == self.anew


def packed(draws: Sequence[bytes]) -> bytes:
    """What the draws of a page were computed from, as it is kept."""
    return msgspec.msgpack.encode(list(draws))


def replay(page: Page, weights: Weights) -> Replayed:
    """Computes a page anew. Raises ValueError or msgspec.DecodeError where what is kept of it is
    damaged, or goes with other weights."""
    given = msgspec.msgpack.decode(page.slots, type=list[Slot])
    draws = msgspec.msgpack.decode(page.inputs, type=list[bytes])
    clips = {slot.clip for slot in given}
    anew = [slot for draw in draws for slot in recompute(draw, weights) if slot.clip in clips]
    return Replayed(given, anew)
