"""Background work of notices."""

from __future__ import annotations

from luciole.cell.notices.service import Notices
from luciole.kit.db import Database
from luciole.kit.queue import Queue


def register(queue: Queue, db: Database, notices: Notices) -> None:
    """Declares the jobs of notices."""

    @queue.every("notices.settle", "* * * * *")
    async def settle() -> None:
        """Ends notices whose day has come, tells of orders whose gag is over, and tells people
        what is withheld of theirs."""
        is_more = True
        while is_more:
            async with db.tx() as tx:
                is_more = await notices.settle(tx)
