"""Keeps the fold of this process at the end of the log.

Rows are read in the order of (xid, seq), and only those below `pg_snapshot_xmin`: whatever may
still commit comes after them, so all processes read the same rows in the same order, each once. A
NOTIFY says that there are some; should one be lost, the next page reads them anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

from luciole.cell.feed.fold import START, Fold
from luciole.cell.feed.model import CHANNEL
from luciole.cell.feed.ranker import published
from luciole.cell.feed.store import log as store
from luciole.cell.feed.veil import Veil
from luciole.kit import db
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.kit.metrics import Counter, Gauge

ROWS_AT_ONCE = 20_000
TOUCH_S = 10
RETRY_S = 1
# An older transaction that still runs keeps newer rows back.
HELD_BACK_S = 0.03

clips_known = Gauge("luciole_feed_clips", "Clips that For You may show.")
rows_read = Counter("luciole_feed_log_rows", "Rows of the feed's log that this process has read.")


class Follower:
    """Reads the log as it grows."""

    def __init__(self, database: Database, clock: Clock, veil: Veil) -> None:
        self._db = database
        self._veil = veil
        self._clock = clock
        self._fold: Fold | None = None
        self._reading = asyncio.Lock()
        self._asked = 0
        self._answered = 0
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    def forget(self) -> None:
        """Begins anew with the next question: the database has become another."""
        self._fold = None

    async def caught_up(self) -> Fold:
        """The fold with every row that was below the horizon when this was called. Not to be
        called inside a transaction: it needs a connection of its own."""
        self._asked += 1
        number = self._asked
        async with self._reading:
            if self._fold is not None and self._answered >= number:
                return self._fold
            # Whoever has asked by now is answered by what is read next.
            upto = self._asked
            if self._fold is None:
                self._fold = await self._begun()
            await self._read(self._fold)
            self._answered = upto
            return self._fold

    def now(self) -> Fold:
        """The fold as it is, after `caught_up`."""
        assert self._fold is not None
        return self._fold

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens while the block runs."""
        task = asyncio.create_task(self._listen_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _begun(self) -> Fold:
        """The fold of the newest snapshot. Without one: all clips as they are now, and the log
        from its first row."""
        async with self._db.read() as tx:
            found = await store.newest_snapshot(tx)
        if found is not None:
            try:
                return Fold(published(), found.mark, found.data)
            except (ValueError, msgspec.DecodeError) as error:
                # Made by another version. Totals begin again with what the log still has.
                log.warning("feed snapshot cannot be used", error=type(error).__name__)
        fold = Fold(published(), START)
        async with self._db.snapshot() as tx:
            async for clip in store.all_clips(tx):
                fold.put(self._veil.clip(clip))
        return fold

    async def _read(self, fold: Fold) -> None:
        while True:
            async with self._db.read() as tx:
                rows = await store.read(tx, fold.mark, ROWS_AT_ONCE)
                changed = {row.clip_id for row in rows if row.event is None}
                clips = await store.clips(tx, list(changed)) if changed else {}
                missing = changed - set(clips)
                deleted = missing - await store.there(tx, list(missing)) if missing else missing
            veiled = {clip_id: self._veil.clip(clip) for clip_id, clip in clips.items()}
            fold.apply(rows, veiled, deleted)
            rows_read.inc(len(rows))
            if len(rows) < ROWS_AT_ONCE:
                break
            await asyncio.sleep(0)
        fold.tidy(self._clock.now().timestamp())
        clips_known.set(fold.clips)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                async with self._db.listening(CHANNEL, self._heard.put_nowait) as tx:
                    await self.caught_up()
                    while True:
                        try:
                            heard = await asyncio.wait_for(self._heard.get(), TOUCH_S)
                        except TimeoutError:
                            await tx.execute("SELECT 1")
                        else:
                            await self._reach(int(heard))
            except (*db.LOST, TimeoutError) as error:
                log.warning("feed lost the database", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                log.error("feed cannot follow its log", exc_info=error)
                await asyncio.sleep(RETRY_S)

    async def _reach(self, xid: int) -> None:
        """Reads on until the rows of a transaction are there, which older ones may keep back."""
        while not self._heard.empty():
            xid = max(xid, int(self._heard.get_nowait()))
        for _ in range(int(TOUCH_S / HELD_BACK_S)):
            async with self._db.read() as tx:
                is_below = await store.is_below_horizon(tx, xid)
            await self.caught_up()
            if is_below:
                return
            await asyncio.sleep(HELD_BACK_S)
