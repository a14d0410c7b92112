"""Snapshots of the fold, so that a start need not read the log from its first row, and rows of the
log can go after a day while their totals stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from luciole.cell.feed.follower import Follower
from luciole.cell.feed.model import Snapshot
from luciole.cell.feed.ranking_state import State
from luciole.cell.feed.store import log as store
from luciole.kit.clock import Clock
from luciole.kit.db import Database

# A snapshot of many clips is large: not with each change, but before a start would take long.
EVERY = timedelta(minutes=10)
MOST_ROWS_BETWEEN = 50_000


class Snapshots:
    """Writes them; in one process of the cell, the worker."""

    def __init__(self, database: Database, follower: Follower, clock: Clock) -> None:
        self._db = database
        self._follower = follower
        self._clock = clock
        self._events = 0
        self._gone = 0

    async def take(self, *, at_once: bool = False) -> Snapshot | None:
        """Writes a snapshot where the log has grown since the last one, and that is some time or
        many rows ago (or `at_once`); gives it."""
        state = await self._follower.caught_up()
        now = self._clock.now()
        async with self._db.read() as tx:
            newest = await store.newest_mark(tx)
        if newest is not None:
            taken_at, mark = newest
            if mark >= await state.mark() or not (at_once or self._is_due(taken_at, now, state)):
                return None
        self._gone = state.gone
        saved = await state.save()
        self._events = saved.events
        snapshot = Snapshot(now, saved.mark, state.weights.version, saved.digest, saved.data)
        async with self._db.tx() as tx:
            await store.add_snapshot(tx, snapshot)
            await store.drop_snapshots(tx, snapshot.taken_at)
            if saved.gone:
                await store.forget_clips(tx, saved.gone, snapshot.mark)
        return snapshot

    def _is_due(self, taken_at: datetime, now: datetime, state: State) -> bool:
        """Whether it is long ago, or much has happened, or a clip is in it that is gone."""
        return (
            now - taken_at >= EVERY
            or state.events - self._events >= MOST_ROWS_BETWEEN
            or state.gone != self._gone
        )
