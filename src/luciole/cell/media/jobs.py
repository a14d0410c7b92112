"""Background work of media. All of it is safe to run twice, and to kill anywhere."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.media.workshop import Workshop
from luciole.config import WorkerSettings
from luciole.kit.queue import Body, Queue


def register(queue: Queue, workshop: Workshop, settings: WorkerSettings) -> None:
    """Declares the jobs. They put `media.playable` {asset_id} and `media.refused` {asset_id,
    code} as news for the slice above, which registers those."""

    @queue.job("media.prepare")
    async def prepare(body: Body) -> None:
        """Looks at an uploaded file and makes its first rendition and its poster, or refuses it."""
        await workshop.prepare(UUID(body["asset_id"]))

    # Ladders never take all the slots, so that a new clip finds one.
    @queue.job("media.ladder", at_once=max(1, settings.slots // 2))
    async def ladder(body: Body) -> None:
        """Makes the other renditions of a film that can be played already."""
        await workshop.climb(UUID(body["asset_id"]))

    @queue.job("media.rename")
    async def rename(body: Body) -> None:
        """Moves the files of a film to its new addresses, after its audience has changed."""
        await workshop.rename(UUID(body["asset_id"]))

    @queue.job("media.silence")
    async def silence(body: Body) -> None:
        """Takes the sound out of a film after the film that it came from was deleted."""
        await workshop.silence(UUID(body["asset_id"]))

    @queue.every("media.sweep", "* * * * *")
    async def sweep() -> None:
        """Starts lost work anew, forgets expired uploads, deletes objects that no row refers to."""
        await workshop.sweep()
