"""Background work of graph."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.graph.service import Graph
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(queue: Queue, db: Database, people: People, graph: Graph) -> None:
    """Declares the jobs of graph."""

    @queue.job("people.opened")
    async def opened(body: Body) -> None:
        """An account became public: who waited for consent follows now."""
        person_id, is_more = UUID(body["person_id"]), True
        while is_more:
            async with db.tx() as tx:
                # It may be private again by now, and nobody was asked yet.
                if await people.hold_privacy(tx, person_id):
                    return
                is_more = await graph.accept_next(tx, person_id)
