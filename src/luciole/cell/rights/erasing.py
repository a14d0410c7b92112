"""Doing an erasure: row by row, then the objects, then the key.

Each step is a transaction that holds the erasure's row, so that two workers take turns, and each is
safe to be killed in and to be done again:

1. The account loses every way in. Whoever is in the middle of an act may still end it.
2. Slice by slice the rows go, some at a time, with the numbers that others see.
3. No new act can begin. What acts under way have added goes too; the log gets its entry; the
   account's row goes. From here on nothing can refer to the person.
4. The data key is destroyed, and with it all that was sealed in any backup.
5. The objects go: those of the rows, and whatever lies or appears where they were. Work that began
   before the third step may still write there, so we come back until nobody can.
6. The row forgets whom it was about.

If we stop anywhere, the periodic job finds the erasure unfinished and queues it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.cell.rights.model import Entry, Erasure
from luciole.cell.rights.store import erasures
from luciole.custody.model import Grant, KeyGone, NoGrant
from luciole.kit.blobs import Blobs
from luciole.kit.catalogue import Erase, Removed
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx

PLACES_AT_ONCE = 100


class Erasing:
    """Does what `Leaving` was asked for. `slices` are the steps of each slice, the lowest first:
    people's takes the ways in away. `sweep` deletes objects that were given up."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        people: People,
        media: Media,
        custody: Custody,
        clock: Clock,
        slices: Sequence[Erase],
        sweep: Callable[[], Awaitable[None]],
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._people = people
        self._media = media
        self._custody = custody
        self._clock = clock
        self._slices = tuple(slices)
        self._sweep = sweep

    async def run(self, erasure_id: UUID) -> None:
        """Goes on with an erasure as far as it can; nothing where its day has not come."""
        if await self._begin(erasure_id):
            for erase in self._slices:
                while await self._step(erasure_id, erase):
                    pass
            await self._drop_account(erasure_id)
        if await self._shred(erasure_id) and await self._empty(erasure_id):
            async with self._db.tx() as tx:
                if await erasures.lock(tx, erasure_id):
                    await erasures.end(tx, erasure_id, self._clock.now())

    async def _begin(self, erasure_id: UUID) -> bool:
        """Step 1: from here on it cannot be taken back. False where the rows are gone already, or
        the day has not come."""
        async with self._db.tx() as tx:
            one = await erasures.lock(tx, erasure_id)
            if one is None or one.due_at > self._clock.now():
                return False
            if one.state == "waiting":
                await erasures.begin(tx, erasure_id)
            return one.state in ("waiting", "erasing")

    async def _step(self, erasure_id: UUID, erase: Erase) -> bool:
        """Step 2, once; whether the same slice has more."""
        async with self._db.tx() as tx:
            one = await erasures.lock(tx, erasure_id)
            if one is None or one.person_id is None or one.state != "erasing":
                return False
            removed = await erase(tx, one.person_id)
            await _note(tx, one, removed)
            return removed.is_more

    async def _drop_account(self, erasure_id: UUID) -> None:
        """Step 3."""
        # The grant first: the broker would wait for the locks that come next.
        grant = await self._grant(erasure_id)
        entry = None
        async with self._db.tx() as tx:
            one = await erasures.lock(tx, erasure_id)
            if one is None or one.person_id is None or one.state != "erasing":
                return
            if await self._people.lock_out_all(tx, one.person_id):
                total = Removed({"entries": await erasures.forget_refs(tx, one.person_id)})
                if grant is not None:
                    entry = await self._entry(tx, grant)
                for erase in self._slices:
                    is_more = True
                    while is_more:
                        removed = await erase(tx, one.person_id)
                        total, is_more = _sum(total, removed), removed.is_more
                await _note(tx, one, total)
                await self._people.drop(tx, one.person_id)
            await erasures.set_gone(tx, erasure_id, entry)

    async def _grant(self, erasure_id: UUID) -> Grant | None:
        """Under which the entry about the erasure is opened, for the ticket. None where the
        person's key is gone already, which a lost key store can bring about."""
        async with self._db.read() as tx:
            one = await erasures.lock(tx, erasure_id)
        if one is None or one.person_id is None or one.state != "erasing":
            return None
        try:
            return await self._custody.automated_grant(one.person_id, "erasure")
        except (KeyGone, NoGrant):
            return None

    async def _entry(self, tx: Tx, grant: Grant) -> Entry:
        """Notes the erasure in the log, with this transaction."""
        drawn = await self._custody.note(
            tx, grant.person_id, kind="erase", cls="self", purpose="erasure", actor="you"
        )
        ref = await erasures.ref(tx, grant.person_id, drawn.n)
        (opened,) = await self._custody.open_journal(grant, [(drawn.n, drawn.sealed)])
        return Entry(ref, drawn.leaf, opened.nonce, opened.opening)

    async def _shred(self, erasure_id: UUID) -> bool:
        """Step 4; False where it is not its turn."""
        async with self._db.read() as tx:
            one = await erasures.lock(tx, erasure_id)
        if one is None or one.person_id is None or one.state != "emptying":
            return False
        await self._custody.shred(one.person_id)
        return True

    async def _empty(self, erasure_id: UUID) -> bool:
        """Step 5; False where something may still appear."""
        await self._sweep()
        place = ""
        while True:
            async with self._db.read() as tx:
                found = await erasures.places(tx, erasure_id, place, PLACES_AT_ONCE)
            for place in found:
                await self._empty_place(erasure_id, place)
            if len(found) < PLACES_AT_ONCE:
                break
        async with self._db.read() as tx:
            return not await erasures.has_places(tx, erasure_id)

    async def _empty_place(self, erasure_id: UUID, place: str) -> None:
        is_prefix = place.endswith("/")
        async with self._db.read() as tx:
            # Asked before we look: who announces an object later finds no film to make it for.
            is_awaited = is_prefix and await self._media.is_awaited(tx, place)
        keys = [key async for key in self._blobs.keys(place)] if is_prefix else [place]
        await self._blobs.delete(*keys)
        if not is_awaited:
            async with self._db.tx() as tx:
                await erasures.drop_place(tx, erasure_id, place)


async def _note(tx: Tx, one: Erasure, removed: Removed) -> None:
    counts = Counter(one.removed) + Counter(removed.counts)
    await erasures.set_removed(tx, one.id, counts)
    await erasures.add_places(tx, one.id, removed.places)


def _sum(one: Removed, other: Removed) -> Removed:
    return Removed(Counter(one.counts) + Counter(other.counts), (*one.places, *other.places))
