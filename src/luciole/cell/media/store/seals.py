"""SQL of what the cell says of films in the credentials that it signs."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.media.manifest import Told
from luciole.cell.media.model import Credentials
from luciole.cell.media.store import File
from luciole.kit.db import Tx

TOLD = """
SELECT author_says_ai, ai, credentials, credentials_code, is_edited FROM media.asset WHERE id = $1
"""
SET_AUTHOR_SAYS = "UPDATE media.asset SET author_says_ai = $2 WHERE id = $1"
SET_SEALED = "UPDATE media.asset SET is_edited = $2, sealed_says_ai = $3 WHERE id = $1"
# Two seals that say different things are as good as none.
ALSO_SEALED = """
UPDATE media.asset SET sealed_says_ai = CASE WHEN sealed_says_ai = $2 THEN sealed_says_ai END
WHERE id = $1
"""
UNSEALED = "UPDATE media.asset SET sealed_says_ai = NULL WHERE id = $1"
SEALED_ANEW = "UPDATE media.asset SET sealed_says_ai = $2, crashes = 0 WHERE id = $1"
# Those first that were tried the least, as for segments. What another cell has encoded, it has
# signed, and its bytes stay as they came.
WITHOUT = """
SELECT a.id FROM media.asset a JOIN people.card p ON p.id = a.owner_id AND p.home IS NULL
WHERE a.state = 'complete' AND a.sealed_says_ai IS DISTINCT FROM a.author_says_ai
  AND a.crashes < $2
  AND EXISTS (SELECT 1 FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'rendition')
ORDER BY a.attempt, a.id LIMIT $1
"""
EXCHANGE = """
UPDATE media.file f
SET filename = $4, object_key = $5, size_bytes = $6, index = coalesce($7, f.index)
FROM media.file old
WHERE f.asset_id = $1 AND f.kind = $2 AND f.name = $3
  AND old.asset_id = f.asset_id AND old.kind = f.kind AND old.name = f.name
RETURNING old.object_key
"""


async def told(tx: Tx, asset_id: UUID) -> Told:
    """What is said of a film by now."""
    row = await tx.fetchrow(TOLD, asset_id)
    if row is None:
        return Told()
    came = Credentials(row["credentials"], row["credentials_code"], None)
    return Told(
        row["author_says_ai"], row["ai"], came if row["credentials"] else None, row["is_edited"]
    )


async def set_author_says(tx: Tx, asset_id: UUID, says_ai: bool) -> None:
    await tx.execute(SET_AUTHOR_SAYS, asset_id, says_ai)


async def set_sealed(tx: Tx, asset_id: UUID, said: Told) -> None:
    """Keeps what the first seal on a film says."""
    await tx.execute(SET_SEALED, asset_id, said.is_edited, said.author_says_ai)


async def also_sealed(tx: Tx, asset_id: UUID, said: Told) -> None:
    """Another seal has come beside the first."""
    await tx.execute(ALSO_SEALED, asset_id, said.author_says_ai)


async def set_unsealed(tx: Tx, asset_id: UUID) -> None:
    """Files of a film have no seal."""
    await tx.execute(UNSEALED, asset_id)


async def sealed_anew(tx: Tx, asset_id: UUID, said: Told) -> None:
    """All files of a film have this seal."""
    await tx.execute(SEALED_ANEW, asset_id, said.author_says_ai)


async def without(tx: Tx, most: int, fewer_crashes_than: int) -> list[UUID]:
    """Finished films whose seals are missing, or say what their authors do not say any more."""
    return [row["id"] for row in await tx.fetch(WITHOUT, most, fewer_crashes_than)]


async def exchange(tx: Tx, asset_id: UUID, files: list[File]) -> list[str]:
    """Puts the bytes of files in the place of those before; gives the keys of these."""
    return [
        key
        for file in files
        if (
            key := await tx.fetchval(
                EXCHANGE,
                asset_id,
                file.kind,
                file.name,
                file.filename,
                file.object_key,
                file.size_bytes,
                file.index,
            )
        )
    ]
