"""Background work of graph."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.graph.service import Graph
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(queue: Queue, db: Database, graph: Graph) -> None:
    """Declares the jobs of graph."""

    @queue.job("people.opened")
    async def opened(body: Body) -> None:
        """An account became public: who waited for consent follows now."""
        is_more = True
        while is_more:
            async with db.tx() as tx:
                is_more = await graph.accept_all(tx, UUID(body["person_id"]))
