"""Following people of other cells without saying who does, and telling totals without saying whose.

Who follows whom stays in `graph`. This cell reads somebody as soon as one of its people follows
them, and says so once. When the last one stops, a time passes that is drawn anew each time, so that
nobody elsewhere learns from the moment whom it was about.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from luciole.border import wire
from luciole.cell.abroad.model import ENDS_AFTER_DAYS, FEWEST, rounded
from luciole.cell.abroad.store import crossings, elsewhere
from luciole.cell.abroad.store.elsewhere import Counted
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id

AT_ONCE = 200
FIRST = UUID(int=0)
DAY_S = 86_400


class Reading:
    """What this cell says of its people together."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def look(self, tx: Tx, person_id: UUID) -> None:
        """Somebody here began or ceased to follow a person of another cell."""
        of = await elsewhere.of_person(tx, person_id)
        if of is None:
            return
        peer, uri = of
        is_followed = await elsewhere.is_followed(tx, person_id)
        reads, end_at = await elsewhere.reading(tx, person_id)
        now = self._clock.now()
        if is_followed and not reads:
            await elsewhere.begin_reading(tx, person_id, peer, now.date())
            await self._say(tx, peer, person_id, wire.Follow(uri, f"{now:%Y-%m-%d}"))
        elif is_followed and end_at is not None:
            await elsewhere.set_end(tx, person_id, None)
        elif not is_followed and reads and end_at is None:
            await elsewhere.set_end(tx, person_id, _ends(now))

    async def end_due(self) -> int:
        """Stops reading those of whom nobody has been a follower for long enough."""
        async with self._db.tx() as tx:
            ended = await elsewhere.ended(tx, self._clock.now(), AT_ONCE)
            for person_id, peer in ended:
                if await elsewhere.is_followed(tx, person_id):
                    await elsewhere.set_end(tx, person_id, None)
                    continue
                of = await elsewhere.of_person(tx, person_id)
                await elsewhere.end_reading(tx, person_id)
                if of is not None:
                    on = f"{self._clock.now():%Y-%m-%d}"
                    await self._say(tx, peer, person_id, wire.Unfollow(of[1], on))
            return len(ended)

    async def tell_totals(self) -> int:
        """Tells other cells, once a day at most, how much people here like, share and follow what
        is theirs: rounded, and nothing below ten. Gives how many totals were told."""
        told = 0
        for read in (elsewhere.counted_clips, elsewhere.counted_people):
            place: UUID = FIRST
            while True:
                async with self._db.tx() as tx:
                    found = await read(tx, FEWEST, place, AT_ONCE)
                    for one in found:
                        told += await self._tell(tx, one)
                if len(found) < AT_ONCE:
                    break
                place = found[-1].subject_id
        return told

    async def _tell(self, tx: Tx, one: Counted) -> bool:
        today = self._clock.now().date()
        totals = tuple(rounded(count) for count in one.counts)
        if one.told_on is None and totals == (None, None, None):
            return False
        if one.told_on is not None and (one.told_on >= today or totals == one.told):
            return False
        body = wire.Totals(one.uri, f"{today:%Y-%m-%d}", *totals)
        await self._say(tx, one.peer, one.subject_id, body)
        await elsewhere.set_told(tx, one.subject_id, one.person_id, totals, today)
        return True

    async def _say(
        self, tx: Tx, peer: str, ref: UUID, body: wire.Follow | wire.Unfollow | wire.Totals
    ) -> None:
        kind = body.__struct_config__.tag
        assert isinstance(kind, str)
        await crossings.put(tx, kind, _ref(ref, kind), new_id(), peer, wire.encode(body))


def _ref(subject_id: UUID, kind: str) -> UUID:
    """Under which number it waits: a follow and its end take each other's place, totals the former
    totals' one."""
    return UUID(int=subject_id.int ^ (1 if kind == "totals" else 0))


def _ends(now: datetime) -> datetime:
    first, last = ENDS_AFTER_DAYS
    return now + timedelta(seconds=first * DAY_S + secrets.randbelow((last - first) * DAY_S))
