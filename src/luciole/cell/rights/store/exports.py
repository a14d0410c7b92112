"""SQL of exports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from luciole.cell.rights.model import Export
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

ADD = """
INSERT INTO rights.export (id, person_id, made_at, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
OF_PERSON = """
SELECT id, person_id, state, attempt, progress, size_bytes, pieces, made_at, expires_at
FROM rights.export WHERE person_id = $1 AND expires_at > $2 ORDER BY made_at DESC, id DESC
"""

TAKEN_ALONG = """
SELECT id, state, attempt, progress, size_bytes, pieces, made_at, expires_at
FROM rights.export WHERE person_id = $1 ORDER BY made_at, id
"""


async def add(
    tx: Tx, export_id: UUID, person_id: UUID, now: datetime, expires_at: datetime
) -> bool:
    """False where one of the person's is being made already."""
    return (await tx.execute(ADD, export_id, person_id, now, expires_at)).endswith(" 1")


async def of_person(tx: Tx, person_id: UUID, now: datetime) -> list[Export]:
    """Those that have not expired, the newest first."""
    return [Export(**row) for row in await tx.fetch(OF_PERSON, person_id, now)]


def taken_along(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(TAKEN_ALONG, person_id))
