"""SQL of how much room somebody takes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.kit.db import Tx

# What an upload will have once it is there counts from its beginning, so that several at once do
# not get past a limit together.
OF_PERSON = """
SELECT coalesce((SELECT sum(f.size_bytes) FROM media.asset a JOIN media.file f ON f.asset_id = a.id
                 WHERE a.owner_id = $1), 0)::bigint
     + coalesce((SELECT sum(u.size_bytes) FROM media.upload u WHERE u.owner_id = $1), 0)::bigint
"""
OF_CELL = """
SELECT coalesce((SELECT sum(size_bytes) FROM media.file), 0)::bigint
     + coalesce((SELECT sum(size_bytes) FROM media.upload), 0)::bigint
"""
MADE_SINCE = """
SELECT created_at FROM media.asset WHERE owner_id = $1 AND created_at > $2
ORDER BY created_at DESC LIMIT $3
"""


async def of_person(tx: Tx, owner_id: UUID) -> int:
    found: int = await tx.fetchval(OF_PERSON, owner_id)
    return found


async def of_cell(tx: Tx) -> int:
    found: int = await tx.fetchval(OF_CELL)
    return found


async def made_since(tx: Tx, owner_id: UUID, since: datetime, limit: int) -> list[datetime]:
    """When the newest films of somebody were begun, the last one first; `limit` at most."""
    return [row["created_at"] for row in await tx.fetch(MADE_SINCE, owner_id, since, limit)]
