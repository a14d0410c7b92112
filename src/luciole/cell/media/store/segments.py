"""SQL that puts renditions in the place of others."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.media import store
from luciole.cell.media.store import File
from luciole.kit.db import Tx

# Those first that were tried the least: what cannot be had any more keeps nobody waiting.
WITHOUT = """
SELECT a.id FROM media.asset a
WHERE a.state = 'complete' AND a.crashes < $2 AND EXISTS (
    SELECT 1 FROM media.file f
    WHERE f.asset_id = a.id AND f.kind = 'rendition' AND f.index IS NULL)
ORDER BY a.attempt, a.id LIMIT $1
"""
TAKE_OUT = """
DELETE FROM media.file
WHERE asset_id = $1
  AND (kind = 'av1' OR (kind IN ('rendition', 'segments') AND name = ANY($2::text[])))
RETURNING object_key
"""
DONE = """
UPDATE media.asset
SET crashes = 0, changed_at = $2, av1 = CASE WHEN av1 = 'made' THEN 'wanted' ELSE av1 END
WHERE id = $1
"""


async def without(tx: Tx, most: int, fewer_crashes_than: int) -> list[UUID]:
    """Finished films of which a rendition has no index, and that were not tried in vain."""
    return [row["id"] for row in await tx.fetch(WITHOUT, most, fewer_crashes_than)]


async def replace(tx: Tx, asset_id: UUID, files: list[File], now: datetime) -> list[str]:
    """Puts renditions in the place of those of the same names; gives the keys of the old ones,
    which belong to nobody now. What was made of these in AV1 goes too, and is made anew."""
    names = sorted({file.name for file in files})
    old = [row["object_key"] for row in await tx.fetch(TAKE_OUT, asset_id, names)]
    for file in files:
        await store.add_file(tx, asset_id, file)
    await tx.execute(DONE, asset_id, now)
    return old
