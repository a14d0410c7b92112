"""How much room a person and the cell may take, and how much is taken."""

from __future__ import annotations

import math
from datetime import timedelta
from uuid import UUID

import msgspec

from luciole.cell.media.store import quota as store
from luciole.config import MediaSettings
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.errors import TooMany, Unavailable

DAY = timedelta(days=1)
# The whole cell is added up at most so often: a table of all films takes a while.
CELL_EVERY = timedelta(minutes=1)
MB = 10**6


class NoRoomLeft(TooMany):
    code = "no-room-left"
    sentence = "With this film you would take more room than this cell gives to one person."
    next_step = "Delete clips that you do not need any more, then send it again."
    http_status = 507


class CellFull(Unavailable):
    code = "cell-full"
    sentence = "This cell has given away all its room; nothing was stored."
    next_step = "Try again later, and tell its operator."
    http_status = 507


class ClipsOfTheDay(TooMany):
    code = "clips-of-the-day"
    sentence = "You have made as many clips in a day as this cell allows."
    next_step = "Your film is kept; make a clip of it later."


class RoomTaken(msgspec.Struct, frozen=True):
    """What a person has of what they may have; None: no limit."""

    stored_bytes: int
    most_bytes: int | None
    clips_of_the_day: int
    most_clips_a_day: int | None


class Quota:
    """The limits of the settings; 0 there: none."""

    def __init__(self, settings: MediaSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._cell = (clock.now() - 2 * CELL_EVERY, 0)

    async def require_room(self, tx: Tx, owner_id: UUID, size_bytes: int) -> None:
        """Raises NoRoomLeft, CellFull where so much more would be too much."""
        most = self._settings.person_bytes
        if most:
            left = most - await store.of_person(tx, owner_id)
            if size_bytes > left:
                all_of_it, rest = _mb(most, up=False), _mb(max(left, 0), up=False)
                raise NoRoomLeft(
                    f"This film has {_mb(size_bytes)} MB, and of the {all_of_it} MB that this "
                    f"cell gives to one person you have {rest} MB left."
                )
        if self._settings.cell_bytes:
            now = self._clock.now()
            if now - self._cell[0] >= CELL_EVERY:
                self._cell = (now, await store.of_cell(tx))
            if self._cell[1] + size_bytes > self._settings.cell_bytes:
                raise CellFull

    async def require_clip(self, tx: Tx, owner_id: UUID) -> None:
        """Raises ClipsOfTheDay where there were as many within 24 hours."""
        most = self._settings.clips_per_day
        if not most:
            return
        now = self._clock.now()
        made = await store.made_since(tx, owner_id, now - DAY, most)
        if len(made) >= most:
            wait_s = math.ceil((made[-1] + DAY - now).total_seconds())
            raise ClipsOfTheDay(
                f"You have made {most} clips in a day, as many as this cell allows.",
                retry_after_s=max(wait_s, 1),
            )

    async def of(self, tx: Tx, owner_id: UUID) -> RoomTaken:
        """What a person has."""
        most = self._settings.clips_per_day
        now = self._clock.now()
        made = await store.made_since(tx, owner_id, now - DAY, most or 1_000)
        return RoomTaken(
            await store.of_person(tx, owner_id),
            self._settings.person_bytes or None,
            len(made),
            most or None,
        )


def _mb(size_bytes: int, *, up: bool = True) -> int:
    return -(-size_bytes // MB) if up else size_bytes // MB
