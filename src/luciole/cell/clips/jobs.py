"""Background work of clips: hearing what became of a file."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.quotes.service import Quotes
from luciole.cell.clips.service import Clips
from luciole.cell.people.service import People
from luciole.kit.db import Database
from luciole.kit.queue import Body, Queue

FIRST = UUID(int=0)


def register(queue: Queue, db: Database, people: People, clips: Clips, quotes: Quotes) -> None:
    """Declares the jobs of clips. The first two are news that media puts."""

    @queue.job("media.playable")
    async def playable(body: Body) -> None:
        """Publishes the clip whose film can be played now."""
        async with db.tx() as tx:
            await clips.outcomes.settle(tx, UUID(body["asset_id"]), None)

    @queue.job("media.refused")
    async def refused(body: Body) -> None:
        """Tells the author that the film of a clip was refused, and why."""
        async with db.tx() as tx:
            await clips.outcomes.settle(tx, UUID(body["asset_id"]), body["code"])

    @queue.job("people.privacy-changed")
    async def privacy_changed(body: Body) -> None:
        """An account became private or public: its clips' files get other names."""
        await place_all(UUID(body["person_id"]))

    @queue.job("clips.place")
    async def place(body: Body) -> None:
        """An author shows more or less of the past: files of clips get other names."""
        await place_all(UUID(body["person_id"]))

    @queue.every("clips.fall-out", "*/10 * * * *")
    async def fall_out() -> None:
        """Has the files renamed of clips that became older than others may see."""
        async with db.tx() as tx:
            await clips.audiences.place_fallen_out(tx)

    async def place_all(person_id: UUID) -> None:
        place: UUID | None = FIRST
        while place is not None:
            async with db.tx() as tx:
                # Asked anew for each part: the account may have changed again.
                is_private = await people.hold_privacy(tx, person_id)
                place = await clips.audiences.place_next(
                    tx, person_id, place, is_private=is_private
                )

    @queue.every("clips.lapse", "* * * * *")
    async def lapse() -> None:
        """Has what clips show of others taken out where it must not be shown any more."""
        async with db.tx() as tx:
            await quotes.lapse(tx)

    @queue.every("clips.settle", "* * * * *")
    async def settle() -> None:
        """Publishes or refuses clips whose news was lost on the way."""
        async with db.tx() as tx:
            await clips.outcomes.settle_lost(tx)
