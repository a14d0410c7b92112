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
        await workshop.prepare(UUID(body["asset_id"]))

    # Ladders never take all the slots, so that a new clip finds one.
    @queue.job("media.ladder", at_once=max(1, settings.slots // 2))
    async def ladder(body: Body) -> None:
        await workshop.climb(UUID(body["asset_id"]))

    @queue.job("media.rename")
    async def rename(body: Body) -> None:
        await workshop.rename(UUID(body["asset_id"]))

    @queue.every("media.sweep", "* * * * *")
    async def sweep() -> None:
        await workshop.sweep()
