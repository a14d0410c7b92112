"""SQL of which films get AV1, and when there is time for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from luciole.kit.db import Tx

WANT = "UPDATE media.asset SET av1 = 'wanted' WHERE id = ANY($1::uuid[]) AND av1 = 'no'"
# Those first that were tried the least.
WANTED = """
SELECT id FROM media.asset WHERE av1 = 'wanted' AND state = 'complete' AND crashes < $2
ORDER BY attempt, id LIMIT $1
"""
IS_WANTED = "SELECT av1 = 'wanted' FROM media.asset WHERE id = $1"
# What waits for something to be mended keeps nothing from being done meanwhile.
IS_BUSY = """
SELECT EXISTS (
    SELECT 1 FROM media.asset
    WHERE state IN ('queued', 'probing', 'encoding', 'playable') AND waits_for IS NULL)
"""
SET_MADE = "UPDATE media.asset SET av1 = 'made', crashes = 0, changed_at = $2 WHERE id = $1"


async def want(tx: Tx, asset_ids: Sequence[UUID]) -> None:
    """Notes films of which AV1 is to be made, once each."""
    await tx.execute(WANT, list(asset_ids))


async def wanted(tx: Tx, most: int, fewer_crashes_than: int) -> list[UUID]:
    """Finished films of which AV1 is to be made, and that were not tried in vain."""
    return [row["id"] for row in await tx.fetch(WANTED, most, fewer_crashes_than)]


async def is_wanted(tx: Tx, asset_id: UUID) -> bool:
    return await tx.fetchval(IS_WANTED, asset_id) is True


async def is_busy(tx: Tx) -> bool:
    """Whether a film waits for its renditions, or is getting them."""
    return await tx.fetchval(IS_BUSY) is True


async def set_made(tx: Tx, asset_id: UUID, now: datetime) -> None:
    """Notes that there is as much in AV1 as there will be."""
    await tx.execute(SET_MADE, asset_id, now)
