"""What goes on at the border, in the worker: what changed, what became of offers, what came."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from luciole.cell.abroad.arriving import Arriving
from luciole.cell.abroad.leaving import Leaving
from luciole.cell.abroad.moving.movers import Movers
from luciole.kit import db
from luciole.kit.db import Database
from luciole.kit.logs import log

# What changed here, what became of offers, what came from elsewhere.
CHANNELS = ("luciole_abroad", "luciole_news", "luciole_arrivals")
# Without a word it is looked anyway: some things are due by their time.
LOOKS_EVERY_S = 3.0
RETRY_S = 1.0


class Traffic:
    """Does what there is to do, a moment after it is there."""

    def __init__(
        self, database: Database, leaving: Leaving, arriving: Arriving, movers: Movers
    ) -> None:
        self._db, self._leaving, self._arriving = database, leaving, arriving
        self._movers = movers
        self._heard = asyncio.Event()

    async def catch_up(self) -> int:
        """Does all there is to do; gives how much that was. Safe to repeat, in several processes
        at once."""
        done = await self._leaving.settle()
        done += await self._arriving.catch_up()
        done += await self._movers.carry()
        done += await self._leaving.ask_again()
        return done + await self._leaving.catch_up()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens while the block runs."""
        task = asyncio.create_task(self._listen_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    heard = [
                        await stack.enter_async_context(
                            self._db.listening(channel, lambda _: self._heard.set())
                        )
                        for channel in CHANNELS
                    ]
                    while True:
                        self._heard.clear()
                        await self.catch_up()
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self._heard.wait(), LOOKS_EVERY_S)
                        for tx in heard:
                            await tx.execute("SELECT 1")
            except (*db.LOST, TimeoutError) as error:
                log.warning("the border's traffic lost the database", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            except Exception as error:
                log.error("what crosses cannot be looked at", exc_info=error)
                await asyncio.sleep(RETRY_S)
