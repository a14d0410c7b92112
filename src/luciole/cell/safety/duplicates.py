"""Films that look alike: cases that become one, and what is like something that was removed.

A worker knows the films of open cases and those that are removed by the hashes of their stills, in
memory (`copies.Shelf`), and reads of the database only which these are and what is new of them: a
film costs the same whether the cell has a thousand clips or a million (ADR 0057).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from luciole.cell.safety import copies, model, suggesting
from luciole.cell.safety.copies import Alike, Shelf
from luciole.cell.safety.likeness import MAX_NEAR_BITS
from luciole.cell.safety.model import Found, Subject
from luciole.cell.safety.reporting import MATCH_JOB
from luciole.cell.safety.shapes import category_of
from luciole.cell.safety.store import copies as store
from luciole.cell.safety.store import decisions, lists
from luciole.cell.safety.store.copies import OfClip
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.queue import Queue

NAME = "removed-film"
#: Of open cases the oldest, of removals the newest: what a worker holds in memory at most.
MOST_OPEN, MOST_REMOVED = 10_000, 30_000
READ_AT_ONCE = 500
#: Of a case, so many films are compared with one another when a moderator takes it.
COMPARED = 50
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Duplicates:
    """Finds them. Decides nothing, but that two cases are one, which a moderator parts again."""

    def __init__(self, clock: Clock, queue: Queue) -> None:
        self._clock = clock
        self._queue = queue
        self._open, self._removed = Shelf(), Shelf()
        self._asking = asyncio.Lock()

    async def twins(self, db: Database, review_id: UUID) -> list[UUID]:
        """Cases in nobody's hand about films that are like those of this one, those first that are
        more so. By the time that one is wanted it may be in somebody's."""
        async with db.read() as tx:
            clip_ids = await store.clips_of(tx, review_id)
            waiting = await store.open_cases(tx, MOST_OPEN)
            mine = await store.stills_of(tx, clip_ids, model.LEAST_QUALITY)
        if not mine:
            return []
        case_of = {one.clip_id: one.id for one in waiting}
        found: dict[UUID, None] = {}
        for stills in mine.values():
            for clip_id, _ in await self._ask(db, self._open, waiting, stills, clip_ids):
                if case_of[clip_id] != review_id:
                    found[case_of[clip_id]] = None
        return list(found)

    async def compare_case(self, db: Database, review_id: UUID) -> None:
        """Compares what somebody has reported with what was removed since it came."""
        async with db.read() as tx:
            asset_ids = await store.assets_of(tx, review_id)
        for asset_id in asset_ids:
            await self.compare_film(db, asset_id)

    async def compare_film(self, db: Database, asset_id: UUID) -> None:
        """Points at the clips of a film that is like one that was removed."""
        async with db.read() as tx:
            found = await lists.clips(tx, [asset_id])
            stills = await lists.stills_of(tx, asset_id, model.LEAST_QUALITY) if found else []
            removed = await store.removed(tx, MOST_REMOVED) if stills else []
        if not removed:
            return
        joined = b"".join(still.pdq for still in stills)
        own = [one.clip_id for one in found if one.clip_id]
        likes = await self._ask(db, self._removed, removed, joined, own)
        if not likes:
            return
        clip_id, like = likes[0]
        decision_id = next(one.id for one in removed if one.clip_id == clip_id)
        async with db.tx() as tx:
            for one in found:
                await self._suggest(tx, one, like, stills[like.still].at_ms, decision_id)

    async def _suggest(
        self, tx: Tx, found: Found, like: Alike, at_ms: int, decision_id: UUID
    ) -> None:
        decision = await decisions.decision(tx, decision_id)
        if decision is None:
            return
        made = await suggesting.suggest(
            tx,
            found,
            method="copy",
            name=NAME,
            version=copies.VERSION,
            facts={
                "bits": like.bits,
                "near_bits": MAX_NEAR_BITS,
                "stills": like.stills,
                "of": like.of,
                "at_ms": at_ms,
                "wrong": copies.WRONG,
                "tried": copies.TRIED,
            },
            category=category_of(decision),
            since=_BEGINNING,
            now=self._clock.now(),
            decision_id=decision_id,
        )
        if made is not None and made[1]:
            await self._queue.put(tx, MATCH_JOB, {"review_id": str(made[0])})

    async def _ask(
        self,
        db: Database,
        shelf: Shelf,
        films: Sequence[OfClip],
        stills: bytes,
        without: Sequence[UUID],
    ) -> list[tuple[UUID, Alike]]:
        """Has a shelf hold these films, reads those that it has not held, and asks it."""
        async with self._asking:
            wanted = {one.clip_id for one in films}
            missing = [clip_id for clip_id in wanted if clip_id not in shelf]
            new: dict[UUID, bytes] = {}
            for start in range(0, len(missing), READ_AT_ONCE):
                some = missing[start : start + READ_AT_ONCE]
                async with db.read() as tx:
                    new |= await store.stills_of(tx, some, model.LEAST_QUALITY)
            await asyncio.to_thread(shelf.hold, wanted, new)
            return await asyncio.to_thread(shelf.like, stills, without)


async def likenesses(tx: Tx, subjects: Sequence[Subject]) -> dict[UUID, Alike]:
    """Of each clip of a case, how it is like the one of the others that it is most like."""
    clip_ids = list(dict.fromkeys(one.clip_id for one in subjects if one.clip_id))
    if len(clip_ids) < 2:
        return {}
    stills = await store.stills_of(tx, clip_ids[:COMPARED], model.LEAST_QUALITY)
    shelf = Shelf()
    shelf.hold(stills.keys(), stills)
    found = {}
    for clip_id, some in stills.items():
        like = shelf.like(some, [clip_id])
        if like:
            found[clip_id] = like[0][1]
    return found
