"""Background work of notify."""

from __future__ import annotations

from luciole.cell.notify import store
from luciole.cell.notify.model import EVENT_KEPT_MINUTES, NOTIFICATION_KEPT_DAYS
from luciole.kit.db import Database
from luciole.kit.queue import Queue


def register(queue: Queue, db: Database) -> None:
    """Declares the jobs of notify."""

    @queue.every("notify.tell-reads", "* * * * *")
    async def tell_reads() -> None:
        """Tells people that staff were allowed to read something of theirs."""
        async with db.tx() as tx:
            await store.tell_reads(tx)

    @queue.every("notify.tidy", "*/10 * * * *")
    async def tidy() -> None:
        """Deletes events and notifications that are older than they are kept."""
        async with db.tx() as tx:
            await store.tidy(tx, EVENT_KEPT_MINUTES, NOTIFICATION_KEPT_DAYS)
