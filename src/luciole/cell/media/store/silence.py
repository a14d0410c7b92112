"""SQL that takes the sound out of films whose sound's own film is gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.media.store import File
from luciole.kit.db import Tx

BEREFT = """
SELECT id FROM media.asset
WHERE sound_mode IS NOT NULL AND sound_asset_id IS NULL AND state = 'complete'
ORDER BY id LIMIT $1
"""
LOCK_FILES = """
SELECT name, object_key FROM media.file
WHERE asset_id = $1 AND kind = 'rendition' ORDER BY name FOR UPDATE
"""
REPLACE_FILE = """
UPDATE media.file SET filename = $3, object_key = $4, bitrate_bps = $5, size_bytes = $6
WHERE asset_id = $1 AND kind = 'rendition' AND name = $2
"""
SILENT = """
UPDATE media.asset SET has_audio = false, sound_mode = NULL, crashes = 0, changed_at = $2
WHERE id = $1
"""


async def bereft(tx: Tx, most: int) -> list[UUID]:
    """Finished films that have a sound whose own film is gone."""
    return [row["id"] for row in await tx.fetch(BEREFT, most)]


async def replace(tx: Tx, asset_id: UUID, files: list[File], now: datetime) -> list[str]:
    """Puts silent renditions in the place of those of the same names; gives the keys of the old
    ones, which belong to nobody now."""
    old = {row["name"]: row["object_key"] for row in await tx.fetch(LOCK_FILES, asset_id)}
    for file in files:
        await tx.execute(
            REPLACE_FILE,
            asset_id,
            file.name,
            file.filename,
            file.object_key,
            file.bitrate_bps,
            file.size_bytes,
        )
    await tx.execute(SILENT, asset_id, now)
    return [old[file.name] for file in files if file.name in old]
