"""Background work of safety."""

from __future__ import annotations

import contextlib
from uuid import UUID

from luciole.cell.media.service import Media
from luciole.cell.safety import active
from luciole.cell.safety.lists import LIST_JOB, LOOKED_JOB, SHOWN_JOB
from luciole.cell.safety.reporting import MATCH_JOB
from luciole.cell.safety.service import Safety
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue


def register(
    queue: Queue, db: Database, safety: Safety, media: Media, blobs: Blobs, clock: Clock
) -> None:
    """Declares the jobs of safety."""

    @queue.job(MATCH_JOB)
    async def match(body: Body) -> None:
        """Puts a case to the one that is open about the same film, and points at it where it is
        like one that was removed."""
        review_id = UUID(body["review_id"])
        await safety.duplicates.compare_case(db, review_id)
        async with db.read() as tx:
            key = await safety.reviewing.file_of_review(tx, review_id)
            found = await media.find(tx, key) if key else None
        digest = None
        # Files move while a film gets its renditions; then its stills are left to go by.
        with contextlib.suppress(Missing):
            if found is not None:
                digest = await media.digest(await blobs.get(found.object_key))
        alike = await safety.duplicates.twins(db, review_id)
        async with db.tx() as tx:
            await safety.reviewing.match(tx, review_id, digest, alike)

    @queue.job(LOOKED_JOB)
    @queue.job(SHOWN_JOB)
    async def compare(body: Body) -> None:
        """Compares a film that has stills now, or is shown to others now, with all lists, and with
        what was removed."""
        await safety.lists.compare_film(db, UUID(body["asset_id"]))
        await safety.duplicates.compare_film(db, UUID(body["asset_id"]))

    @queue.job(LIST_JOB, at_once=1)
    async def compare_old(body: Body) -> None:
        """Compares a batch of the films that were here before a list."""
        await safety.lists.compare_old(db, UUID(body["list_id"]), UUID(body["after"]))

    @queue.every("safety.rules", "41 * * * *")
    async def rules() -> None:
        """Points at spam and rings of accounts, for moderators to look at."""
        await safety.rules.run(db)

    @queue.every("safety.active", "7 * * * *")
    async def count_active() -> None:
        """Says in the log how many people were here in the month before, when it is over."""
        await active.count(db, clock)

    @queue.every("safety.tell", "* * * * *")
    async def tell() -> None:
        """Writes to those who sent notices without an account and gave an address."""
        await safety.notifying.tell(db)

    @queue.every("safety.settle", "* * * * *")
    async def settle() -> None:
        """Takes in reports of messages, closes what is gone, ends what is over, forgets; has old
        clips compared with new lists."""
        is_more = True
        while is_more:
            async with db.tx() as tx:
                is_more = await safety.reporting.gather(tx)
            async with db.tx() as tx:
                is_more = await safety.deciding.settle(tx) or is_more
        async with db.tx() as tx:
            await safety.reviewing.tidy(tx)
            await safety.notifying.tidy(tx)
            await safety.disclosing.tidy(tx)
            await safety.lists.go_on(tx)
