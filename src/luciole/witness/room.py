"""How much the mirror of one cell may take of the disk, and how fast it may fetch.

The entries are what takes room, and what can be left out. The disk keeps a reserve that no mirror
touches, so that the cell's own log goes on.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from luciole.mirrors import State

# Between two counts of what lies there: an eighth more, or so many bytes, or so many seconds.
COUNTED_AGAIN = 8
COUNTED_BYTES = 64 * 1024**2
COUNTED_S = 3600.0
# Who was at a limit begins again when there is some room, lest it stops with each entry.
AGAIN = 0.95
BURST_S = 2.0


class Limits(NamedTuple):
    """For each cell: most bytes on the disk, bytes of the disk that stay free, bytes a second."""

    most_bytes: int
    free_bytes: int
    bytes_per_s: int


class Room:
    """What is left to the mirror in a folder."""

    def __init__(
        self,
        home: Path,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = lambda place: shutil.disk_usage(place).free,
    ) -> None:
        self._home, self.limits = home, limits
        self._monotonic, self._free = monotonic, free
        self._counted, self._more, self._counted_at = 0, 0, float("-inf")
        self._ready_at = float("-inf")

    @property
    def bytes(self) -> int:
        """What it takes: as counted last, and what came since."""
        return self._counted + self._more

    async def has(self, more: int) -> bool:
        """Whether there is room for so many bytes more."""
        await self._count_now_and_then()
        return await self._state(self.limits.most_bytes - more, more) == "kept"

    async def has_again(self) -> bool:
        """Whether there is room for a mirror that had come to its limit."""
        await self._count_now_and_then()
        reserve = int(self.limits.free_bytes * (1 - AGAIN))
        return await self._state(int(self.limits.most_bytes * AGAIN), reserve) == "kept"

    async def why(self) -> State:
        """What stands in the way of a mirror that is at its limit."""
        found = await self._state(int(self.limits.most_bytes * AGAIN), 0)
        return "disk" if found == "disk" else "limit"

    def took(self, more: int) -> None:
        """So many bytes were written."""
        self._more += more

    async def pace(self, fetched: int) -> None:
        """Waits until so many bytes could have come at the rate that is set."""
        now = self._monotonic()
        self._ready_at = max(self._ready_at, now) + fetched / self.limits.bytes_per_s
        if (wait_s := self._ready_at - now - BURST_S) > 0:
            await asyncio.sleep(wait_s)

    async def count(self) -> None:
        """Counts what lies there."""
        self._counted, self._more = await asyncio.to_thread(_taken, self._home), 0
        self._counted_at = self._monotonic()

    async def _count_now_and_then(self) -> None:
        enough = max(COUNTED_BYTES, self._counted // COUNTED_AGAIN)
        if self._more > enough or self._monotonic() - self._counted_at > COUNTED_S:
            await self.count()

    async def _state(self, most: int, more: int) -> State:
        if self.bytes > most:
            return "limit"
        place = next(one for one in (self._home, *self._home.parents) if one.exists())
        free = await asyncio.to_thread(self._free, place)
        return "kept" if free - more >= self.limits.free_bytes else "disk"


def _taken(folder: Path) -> int:
    """Bytes of the disk below a folder."""
    taken = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                taken += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:
                continue  # exchanged for another, or swept
    return taken
