"""Background work of messages. All of it is safe to run twice, and to kill anywhere."""

from __future__ import annotations

from luciole.cell.messages.service import Messages
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database
from luciole.kit.queue import Queue


def register(queue: Queue, db: Database, messages: Messages, blobs: Blobs) -> None:
    """Declares the jobs of messages."""

    @queue.every("messages.tidy", "*/10 * * * *")
    async def tidy() -> None:
        """Forgets what is past its time: envelopes, key packages, devices, reports, files."""
        async with db.tx() as tx:
            await messages.tidy(tx)
        while True:
            # Marked first, so that nobody refers to an object that is being deleted.
            async with db.tx() as tx:
                keys = await messages.files.due(tx)
            if not keys:
                return
            await blobs.delete(*keys)
            async with db.tx() as tx:
                await messages.files.forget(tx, keys)
