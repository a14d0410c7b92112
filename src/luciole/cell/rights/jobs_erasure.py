"""Background work of leaving; each job may run twice, and be killed anywhere."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.rights.erasing import Erasing
from luciole.cell.rights.leaving import Leaving
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(queue: Queue, db: Database, leaving: Leaving, erasing: Erasing) -> None:
    """Declares the jobs of leaving."""

    @queue.job("rights.erase", at_once=1)
    async def erase(body: Body) -> None:
        """Removes everything about a person whose day to go has come."""
        await erasing.run(UUID(body["erasure_id"]))

    @queue.every("rights.leave", "* * * * *")
    async def leave() -> None:
        """Queues the erasures whose day has come, and those that are unfinished."""
        async with db.tx() as tx:
            await leaving.put_due(tx)
