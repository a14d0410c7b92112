"""SQL of exports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from luciole.cell.rights.model import Export
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

ADD = """
INSERT INTO rights.export (id, person_id, made_at, changed_at, expires_at)
VALUES ($1, $2, $3, $3, $4)
ON CONFLICT DO NOTHING
"""
OF_PERSON = """
SELECT id, person_id, state, attempt, progress, size_bytes, pieces, made_at, expires_at
FROM rights.export WHERE person_id = $1 AND expires_at > $2 ORDER BY made_at DESC, id DESC
"""
ONE = """
SELECT id, person_id, state, attempt, progress, size_bytes, pieces, made_at, expires_at
FROM rights.export WHERE id = $1
"""
START = """
UPDATE rights.export SET state = 'running', attempt = attempt + 1, progress = 0, changed_at = $2
WHERE id = $1 AND state IN ('queued', 'running') AND expires_at > $2
RETURNING id, person_id, state, attempt, progress, size_bytes, pieces, made_at, expires_at
"""
SET_PROGRESS = """
UPDATE rights.export SET progress = $3, changed_at = $4
WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id
"""
FINISH = """
UPDATE rights.export
SET state = 'ready', progress = 100, size_bytes = $3, pieces = $4, changed_at = $5
WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id
"""
FAIL = """
UPDATE rights.export SET state = 'failed', changed_at = $2
WHERE id = $1 AND state IN ('queued', 'running')
"""
DROP = "DELETE FROM rights.export WHERE id = $1 AND person_id = $2 RETURNING id"
STUCK = """
SELECT id FROM rights.export
WHERE state IN ('queued', 'running') AND changed_at < $1 ORDER BY changed_at LIMIT $2
"""
DROP_EXPIRED = "DELETE FROM rights.export WHERE expires_at <= $1 RETURNING id"
KNOWN = "SELECT id FROM rights.export WHERE id = ANY($1::uuid[])"
TAKEN_ALONG = """
SELECT id, state, attempt, progress, size_bytes, pieces, made_at, changed_at, expires_at
FROM rights.export WHERE person_id = $1 ORDER BY made_at, id
"""
ERASE = "DELETE FROM rights.export WHERE person_id = $1 RETURNING id"


async def add(
    tx: Tx, export_id: UUID, person_id: UUID, now: datetime, expires_at: datetime
) -> bool:
    """False where one of the person's is being made already."""
    return (await tx.execute(ADD, export_id, person_id, now, expires_at)).endswith(" 1")


async def of_person(tx: Tx, person_id: UUID, now: datetime) -> list[Export]:
    """Those that have not expired, the newest first."""
    return [Export(*row) for row in await tx.fetch(OF_PERSON, person_id, now)]


async def one(tx: Tx, export_id: UUID) -> Export | None:
    return _export(await tx.fetchrow(ONE, export_id))


async def start(tx: Tx, export_id: UUID, now: datetime) -> Export | None:
    """The export with the number of a new attempt, or None where there is nothing to make."""
    return _export(await tx.fetchrow(START, export_id, now))


async def set_progress(tx: Tx, export_id: UUID, attempt: int, percent: int, now: datetime) -> bool:
    """False where the attempt is no longer the current one."""
    return await tx.fetchval(SET_PROGRESS, export_id, attempt, percent, now) is not None


async def finish(
    tx: Tx, export_id: UUID, attempt: int, size_bytes: int, pieces: int, now: datetime
) -> bool:
    """False where the attempt is no longer the current one."""
    done = await tx.fetchval(FINISH, export_id, attempt, size_bytes, pieces, now)
    return done is not None


async def fail(tx: Tx, export_id: UUID, now: datetime) -> None:
    await tx.execute(FAIL, export_id, now)


async def drop(tx: Tx, export_id: UUID, person_id: UUID) -> bool:
    """False where the person has no such export."""
    return await tx.fetchval(DROP, export_id, person_id) is not None


async def stuck(tx: Tx, silent_since: datetime, most: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(STUCK, silent_since, most)]


async def drop_expired(tx: Tx, now: datetime) -> list[UUID]:
    """Forgets exports whose time has come, and says which; their objects are still there."""
    return [row["id"] for row in await tx.fetch(DROP_EXPIRED, now)]


async def known(tx: Tx, ids: list[UUID]) -> set[UUID]:
    return {row["id"] for row in await tx.fetch(KNOWN, ids)}


def taken_along(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(TAKEN_ALONG, person_id))


def _export(row: Row | None) -> Export | None:
    return Export(*row) if row else None


async def erase(tx: Tx, person_id: UUID) -> list[UUID]:
    """Removes the rows of all exports of a person; gives their ids."""
    return [row["id"] for row in await tx.fetch(ERASE, person_id)]
