"""Background work of feed."""

from __future__ import annotations

from luciole.cell.feed.foryou import ForYou
from luciole.cell.feed.snapshots import Snapshots
from luciole.cell.feed.watched import Watched
from luciole.kit.db import Database
from luciole.kit.queue import Queue


def register(
    queue: Queue, db: Database, for_you: ForYou, snapshots: Snapshots, watched: Watched
) -> None:
    """Declares the jobs of feed."""

    @queue.every("feed.snapshot", "* * * * *")
    async def snapshot() -> None:
        """Notes what came of the feed's log, where it has grown."""
        await snapshots.take()

    @queue.every("feed.watched", "37 * * * *")
    async def note_watched() -> None:
        """Has clips that many watch made in AV1 too."""
        async with db.tx() as tx:
            await watched.note(tx)

    @queue.every("feed.tidy", "7 * * * *")
    async def tidy() -> None:
        """Drops sessions, pages and rows of the log after a day, what was learnt after 90."""
        await snapshots.take(at_once=True)
        async with db.tx() as tx:
            await for_you.tidy(tx)
