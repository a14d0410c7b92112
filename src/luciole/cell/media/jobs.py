"""Background work of media. All of it is safe to run twice, and to kill anywhere."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.media.aftercare import Aftercare
from luciole.config import WorkerSettings
from luciole.kit.queue import Body, Places, Queue


def register(queue: Queue, workshop: Aftercare, settings: WorkerSettings) -> None:
    """Declares the jobs. They put `media.playable` {asset_id}, `media.looked` {asset_id} and
    `media.refused` {asset_id, code} as news for the slices above, which register those."""

    # Films have places of their own: they take minutes, and what is quick does not wait for them.
    # Better renditions of one film do not keep another from being played at all.
    first = Places("first renditions", max(1, settings.encoders))
    more = Places("other renditions", max(1, settings.encoders - 1))
    idle = Places("AV1", 1)

    @queue.job("media.prepare", places=first)
    async def prepare(body: Body) -> None:
        """Looks at an uploaded file and makes its first rendition and its poster, or refuses it."""
        await workshop.prepare(UUID(body["asset_id"]))

    @queue.job("media.ladder", places=more)
    async def ladder(body: Body) -> None:
        """Makes the other renditions and the small pictures of a film that plays already."""
        await workshop.climb(UUID(body["asset_id"]))

    @queue.job("media.rename")
    async def rename(body: Body) -> None:
        """Moves the files of a film to its new addresses, after its audience has changed."""
        await workshop.rename(UUID(body["asset_id"]))

    @queue.job("media.silence", places=more)
    async def silence(body: Body) -> None:
        """Takes the sound out of a film after the film that it came from was deleted."""
        await workshop.silence(UUID(body["asset_id"]))

    @queue.job("media.unquote", places=more)
    async def unquote(body: Body) -> None:
        """Takes out of a film what it shows of one that is gone, or not to be quoted any more."""
        await workshop.unquote(UUID(body["asset_id"]))

    @queue.job("media.look", places=more)
    async def look(body: Body) -> None:
        """Looks at a finished film that came without a hint and hashes, and makes its small
        pictures."""
        await workshop.look(UUID(body["asset_id"]))

    @queue.job("media.segment", places=more)
    async def segment(body: Body) -> None:
        """Cuts the renditions of a film into segments that were made before there were any."""
        await workshop.segment(UUID(body["asset_id"]))

    if workshop.seals.can_seal:

        @queue.job("media.seal", places=more)
        async def seal(body: Body) -> None:
            """Signs the files of a film anew, where its seals are missing or say what its author
            does not say any more."""
            await workshop.seal(UUID(body["asset_id"]))

    @queue.job("media.av1", places=idle)
    async def av1(body: Body) -> None:
        """Makes AV1 of a film that is watched, as long as no other film waits to be made."""
        await workshop.av1(UUID(body["asset_id"]))

    @queue.every("media.sweep", "* * * * *")
    async def sweep() -> None:
        """Starts lost work anew, forgets expired uploads, deletes objects that no row refers to."""
        await workshop.sweep()
