"""SQL of films that are made from other films."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.media import store
from luciole.cell.media.store import File
from luciole.kit.db import Tx

LOSE = "UPDATE media.asset SET quoted_asset_id = NULL WHERE id = $1"
LOST = """
SELECT id FROM media.asset
WHERE quote_how IS NOT NULL AND quoted_asset_id IS NULL AND state = 'complete'
ORDER BY attempt, id LIMIT $1
"""
TAKE_OUT = "DELETE FROM media.file WHERE asset_id = $1 RETURNING object_key"
ALONE = """
UPDATE media.asset
SET quote_how = NULL, quote_start_ms = NULL, quote_end_ms = NULL, quoted_asset_id = NULL,
    duration_ms = $2, width = $3, height = $4, has_audio = $5, crashes = 0, changed_at = $6,
    av1 = CASE WHEN av1 = 'made' THEN 'wanted' ELSE av1 END
WHERE id = $1
"""


async def lose(tx: Tx, asset_id: UUID) -> None:
    """Notes that a film must not quote any more; a job takes the quoted part out."""
    await tx.execute(LOSE, asset_id)


async def lost(tx: Tx, most: int) -> list[UUID]:
    """Finished films with a part of a film that is gone; those first that were tried the least."""
    return [row["id"] for row in await tx.fetch(LOST, most)]


async def replace_all(tx: Tx, asset_id: UUID, files: list[File]) -> list[str]:
    """Puts these in the place of all files of a film; gives the keys of the old ones."""
    old = [row["object_key"] for row in await tx.fetch(TAKE_OUT, asset_id)]
    for file in files:
        await store.add_file(tx, asset_id, file)
    return old


async def alone(
    tx: Tx,
    asset_id: UUID,
    duration_ms: int,
    width: int,
    height: int,
    now: datetime,
    *,
    has_audio: bool,
) -> None:
    """Notes that a film has nothing of another one any more."""
    await tx.execute(ALONE, asset_id, duration_ms, width, height, has_audio, now)
