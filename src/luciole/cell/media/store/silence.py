"""SQL that takes the sound out of films whose sound's own film is gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.kit.db import Tx

BEREFT = """
SELECT id FROM media.asset
WHERE sound_mode IS NOT NULL AND sound_asset_id IS NULL AND state = 'complete'
ORDER BY id LIMIT $1
"""
SILENT = """
UPDATE media.asset SET has_audio = false, sound_mode = NULL, crashes = 0, changed_at = $2
WHERE id = $1
"""


async def bereft(tx: Tx, most: int) -> list[UUID]:
    """Finished films that have a sound whose own film is gone."""
    return [row["id"] for row in await tx.fetch(BEREFT, most)]


async def silent(tx: Tx, asset_id: UUID, now: datetime) -> None:
    """Notes that a film has no sound any more."""
    await tx.execute(SILENT, asset_id, now)
