"""Background work of people; each job may run twice."""

from __future__ import annotations

from luciole.cell.people.months import service as months
from luciole.cell.people.service import People
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(queue: Queue, db: Database, people: People, blobs: Blobs, clock: Clock) -> None:
    """Declares the jobs of people."""

    @queue.job("people.forget-avatar")
    async def forget_avatar(body: Body) -> None:
        """Deletes a picture that nobody shows. Keys are drawn once, so that one which is unused
        now stays unused."""
        async with db.read() as tx:
            in_use = await people.is_avatar_in_use(tx, body["avatar_key"])
        if not in_use:
            await blobs.delete(body["avatar_key"])

    @queue.every("people.tidy", "17 * * * *")
    async def tidy() -> None:
        """Deletes expired sessions, challenges, notes of handle changes, and counts of acts."""
        async with db.tx() as tx:
            await people.tidy(tx)
            await months.tidy(tx, clock.now().date())
