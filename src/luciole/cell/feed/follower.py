"""Keeps the state that this process asks at the end of the log.

Rows are read in the order of (xid, seq), and only those below `pg_snapshot_xmin`: whatever may
still commit comes after them, so all processes read the same rows in the same order, each once. A
NOTIFY says that there are some; should one be lost, the next page reads them anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from luciole.cell.feed.log_source import LogSource
from luciole.cell.feed.model import CHANNEL
from luciole.cell.feed.ranking_state import Opening, State, here, read_on
from luciole.cell.feed.store import log as store
from luciole.cell.feed.veil import Veil
from luciole.kit import db
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.kit.metrics import Counter, Gauge

TOUCH_S = 10
RETRY_S = 1
# An older transaction that still runs keeps newer rows back.
HELD_BACK_S = 0.03

clips_known = Gauge("luciole_feed_clips", "Clips that For You may show.")
rows_read = Counter("luciole_feed_log_rows", "Rows of the feed's log that this process has read.")


class Follower:
    """Reads the log as it grows."""

    def __init__(
        self, database: Database, clock: Clock, veil: Veil, opening: Opening = here
    ) -> None:
        self._db = database
        self._source = LogSource(database, veil)
        self._clock = clock
        self._opening = opening
        self._state: State | None = None
        self._reading = asyncio.Lock()
        self._asked = 0
        self._answered = 0
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    def forget(self) -> None:
        """Begins anew with the next question: the database has become another."""
        self._state = None

    async def caught_up(self) -> State:
        """The state with every row that was below the horizon when this was called. Not to be
        called inside a transaction: it needs a connection of its own."""
        self._asked += 1
        number = self._asked
        async with self._reading:
            if self._state is not None and self._answered >= number:
                return self._state
            # Whoever has asked by now is answered by what is read next.
            upto = self._asked
            if self._state is None:
                self._state = await self._opening(self._source)
            await self._read(self._state)
            self._answered = upto
            return self._state

    def now(self) -> State:
        """The state as it is, after `caught_up`."""
        assert self._state is not None
        return self._state

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens while the block runs."""
        task = asyncio.create_task(self._listen_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if self._state is not None:
                await self._state.close()

    async def _read(self, state: State) -> None:
        rows_read.inc(await read_on(state, self._source))
        await state.tidy(self._clock.now().timestamp())
        clips_known.set(state.clips)

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
