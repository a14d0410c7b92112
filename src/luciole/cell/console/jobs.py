"""Background work of the console."""

from __future__ import annotations

from luciole.cell.console.service import Console
from luciole.kit.db import Database
from luciole.kit.queue import Queue


def register(queue: Queue, db: Database, console: Console) -> None:
    """Declares the jobs of the console."""

    @queue.every("console.count", "*/5 * * * *")
    async def count() -> None:
        """Counts what the pages of the console show, so that no page counts a table."""
        async with db.tx() as tx:
            await console.count(tx)

    @queue.every("console.close", "17 * * * *")
    async def close() -> None:
        """Puts a digest over yesterday's acts at the console into the log; forgets old ones."""
        async with db.tx() as tx:
            await console.desk.close_days(tx)
        async with db.tx() as tx:
            await console.desk.tidy(tx)
