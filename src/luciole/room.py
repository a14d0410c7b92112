"""How much of the room that films may take is taken, for the doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit import postgres
from luciole.kit.db import Database

# From here on room is running out.
NEARLY = 0.8
TAKEN = """
SELECT coalesce((SELECT sum(size_bytes) FROM media.file), 0)::bigint
     + coalesce((SELECT sum(size_bytes) FROM media.upload), 0)::bigint
"""
# How many people are near their limit; nobody is named.
NEAR_THEIR_LIMIT = """
SELECT count(*) FROM (
    SELECT owner_id FROM (
        SELECT a.owner_id, f.size_bytes FROM media.asset a JOIN media.file f ON f.asset_id = a.id
        UNION ALL SELECT owner_id, size_bytes FROM media.upload
    ) taken GROUP BY owner_id HAVING sum(size_bytes) >= $1
) near
"""


def looked(settings: Settings) -> Iterator[Finding]:
    """What films take of what they may. Only of a database that runs."""
    media = settings.media
    if not media.cell_bytes and not media.person_bytes:
        yield Finding("OK", "room", "neither the cell nor a person has a limit but the disk")
        return
    try:
        taken, near = asyncio.run(_taken(settings))
    except Exception:  # it does not run, or other checks say what is wrong with it
        return
    says = f"films take {taken / 10**9:.1f} GB"
    if media.cell_bytes:
        says += f" of {media.cell_bytes / 10**9:.1f}"
    if media.person_bytes:
        says += f"; people near their own limit: {near}"
    if media.cell_bytes and taken >= NEARLY * media.cell_bytes:
        step = "Raise LUCIOLE_MEDIA_CELL_BYTES where the disk has the room, or close registration."
        yield Finding("WARN", "room", says, step)
    else:
        yield Finding("OK", "room", says)


async def _taken(settings: Settings) -> tuple[int, int]:
    database = await Database.open(_url(settings), size=1)
    try:
        async with database.read() as tx:
            near = int(NEARLY * settings.media.person_bytes)
            return (
                int(await tx.fetchval(TAKEN)),
                int(await tx.fetchval(NEAR_THEIR_LIMIT, near)) if near else 0,
            )
    finally:
        await database.close()


def _url(settings: Settings) -> str:
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    return settings.database.url or postgres.Server(home, log).url()
