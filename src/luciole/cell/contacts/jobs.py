"""Background work of contact discovery; each job may run twice."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.contacts.rotating import Rotating
from luciole.cell.contacts.service import Discovery
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(
    queue: Queue, db: Database, people: People, discovery: Discovery, rotating: Rotating
) -> None:
    """Declares the jobs of contact discovery."""

    @queue.job("people.renamed")
    async def renamed(body: Body) -> None:
        """Somebody has another handle: who has their number finds that one."""
        person_id = UUID(body["person_id"])
        async with db.tx() as tx:
            card = (await people.cards(tx, [person_id])).get(person_id)
            if card is not None:
                await discovery.renew(tx, person_id, card.handle)

    @queue.every("contacts.rotate", "* * * * *")
    async def rotate() -> None:
        """Changes the key where it is old, or its operator has asked for it; goes on with it."""
        await rotating.turn()

    @queue.every("contacts.tidy", "41 * * * *")
    async def tidy() -> None:
        """Forgets codes that have ended, and old counts."""
        async with db.tx() as tx:
            await discovery.tidy(tx)
