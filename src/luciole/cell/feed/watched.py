"""Which clips are worth more work, because many watch them."""

from __future__ import annotations

from datetime import timedelta

from luciole.cell.clips.service import Clips
from luciole.cell.feed.store import log as store
from luciole.kit.clock import Clock
from luciole.kit.db import Tx

WITHIN = timedelta(hours=24)
# So many of the most watched are looked at each time.
LOOKED_AT = 1_000


class Watched:
    """Looks at totals of the log, never at who watched."""

    def __init__(self, clips: Clips, clock: Clock, least: int) -> None:
        self._clips = clips
        self._clock = clock
        self._least = least

    async def note(self, tx: Tx) -> None:
        """Says of which clips there were so many watches within a day; 0: of none."""
        if self._least > 0:
            since = self._clock.now() - WITHIN
            clip_ids = await store.most_watched(tx, since, self._least, LOOKED_AT)
            await self._clips.are_watched(tx, clip_ids)
