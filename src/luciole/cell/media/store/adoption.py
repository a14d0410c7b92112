"""SQL of films that are taken as they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.media.model import Edit
from luciole.kit.db import Tx

ADD_WHOLE = """
INSERT INTO media.asset (id, owner_id, state, trim_start_ms, trim_end_ms, cover_ms, is_public,
                         token, attempt, progress, duration_ms, width, height, has_audio,
                         created_at, changed_at)
VALUES ($1, $2, 'complete', $3, $4, $5, $6, $7, $8, 100, $9, $10, $11, $12,
        least($13::timestamptz, $14), $14)
"""


async def add_whole(
    tx: Tx,
    asset_id: UUID,
    owner_id: UUID,
    edit: Edit,
    *,
    is_public: bool,
    token: str,
    attempt: int,
    duration_ms: int,
    width: int,
    height: int,
    has_audio: bool,
    created_at: datetime,
    now: datetime,
) -> None:
    """An asset whose files are all there."""
    await tx.execute(
        ADD_WHOLE,
        asset_id,
        owner_id,
        edit.trim_start_ms,
        edit.trim_end_ms,
        edit.cover_ms,
        is_public,
        token,
        attempt,
        duration_ms,
        width,
        height,
        has_audio,
        created_at,
        now,
    )
