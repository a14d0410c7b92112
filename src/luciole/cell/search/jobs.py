"""Background work of search."""

from __future__ import annotations

from luciole.cell.search.indexing import Indexing
from luciole.kit.queue import Queue


def register(queue: Queue, indexing: Indexing) -> None:
    """Declares the jobs of search."""

    @queue.every("search.index", "* * * * *")
    async def index() -> None:
        """Takes in what changed while nobody listened."""
        await indexing.catch_up()

    @queue.every("search.trends", "*/10 * * * *")
    async def trends() -> None:
        """Counts which hashtags are on the rise."""
        await indexing.count_trends()
