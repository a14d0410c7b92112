"""SQL of imports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.rights.model import Import, ItemKind, Outcome
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

ADD = """
INSERT INTO rights.import (id, person_id, size_bytes, made_at, changed_at, expires_at)
VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT DO NOTHING
"""
ONE = """
SELECT id, person_id, state, refused_code, size_bytes, offset_bytes, attempt, progress, is_checked,
       report, made_at, expires_at
FROM rights.import WHERE id = $1
"""
OF_PERSON = """
SELECT id, person_id, state, refused_code, size_bytes, offset_bytes, attempt, progress, is_checked,
       report, made_at, expires_at
FROM rights.import WHERE person_id = $1 AND expires_at > $2 ORDER BY made_at DESC, id DESC
"""
MOVE_OFFSET = """
UPDATE rights.import
SET offset_bytes = offset_bytes + $3, changed_at = $4, expires_at = $5,
    state = CASE WHEN offset_bytes + $3 = size_bytes THEN 'queued' ELSE state END
WHERE id = $1 AND offset_bytes = $2 AND state = 'uploading'
RETURNING offset_bytes, state
"""
START = """
UPDATE rights.import SET state = 'running', attempt = attempt + 1, changed_at = $2
WHERE id = $1 AND state IN ('queued', 'running')
RETURNING id, person_id, state, refused_code, size_bytes, offset_bytes, attempt, progress,
          is_checked, report, made_at, expires_at
"""
SET_PROGRESS = """
UPDATE rights.import
SET progress = greatest(progress, $3), is_checked = is_checked OR $4, changed_at = $5
WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id
"""
# An attempt that got on is none of those that count as failed.
PARDON = """
UPDATE rights.import SET attempt = greatest(attempt - 1, 0)
WHERE id = $1 AND attempt = $2 AND state = 'running'
"""
FINISH = """
UPDATE rights.import
SET state = 'done', progress = 100, report = $3, changed_at = $4, expires_at = $5
WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id
"""
REFUSE = """
UPDATE rights.import
SET state = 'refused', refused_code = $2, changed_at = $3, expires_at = $4
WHERE id = $1 AND state IN ('queued', 'running')
"""
DROP = "DELETE FROM rights.import WHERE id = $1 AND person_id = $2 RETURNING id"
STUCK = """
SELECT id FROM rights.import
WHERE state IN ('queued', 'running') AND changed_at < $1 ORDER BY changed_at LIMIT $2
"""
DROP_EXPIRED = """
DELETE FROM rights.import WHERE expires_at <= $1 AND state NOT IN ('queued', 'running')
RETURNING id
"""
ADD_ITEM = """
INSERT INTO rights.import_item (import_id, kind, subject, outcome, made_id)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
"""
ITEM = """
SELECT outcome, made_id FROM rights.import_item
WHERE import_id = $1 AND kind = $2 AND subject = $3
"""
OUTCOMES = "SELECT kind, outcome FROM rights.import_item WHERE import_id = $1"
ERASE = "DELETE FROM rights.import WHERE person_id = $1 RETURNING id"
TAKEN_ALONG = """
SELECT id, state, refused_code, size_bytes, offset_bytes, attempt, progress, is_checked, report,
       made_at, changed_at, expires_at
FROM rights.import WHERE person_id = $1 ORDER BY made_at, id
"""
ITEMS_TAKEN_ALONG = """
SELECT i.import_id, i.kind, i.subject, i.outcome, i.made_id
FROM rights.import m JOIN rights.import_item i ON i.import_id = m.id
WHERE m.person_id = $1 ORDER BY m.made_at, i.import_id, i.kind, i.subject
"""


class Item(msgspec.Struct, frozen=True):
    """What became of one thing, and the id of what was made of it."""

    outcome: Outcome
    made_id: UUID | None


async def add(
    tx: Tx, import_id: UUID, person_id: UUID, size_bytes: int, now: datetime, expires_at: datetime
) -> bool:
    """False where another one of the person is under way."""
    done = await tx.execute(ADD, import_id, person_id, size_bytes, now, expires_at)
    return done.endswith(" 1")


async def one(tx: Tx, import_id: UUID) -> Import | None:
    return _import(await tx.fetchrow(ONE, import_id))


async def of_person(tx: Tx, person_id: UUID, now: datetime) -> list[Import]:
    """Those that have not expired, the newest first."""
    return [Import(*row) for row in await tx.fetch(OF_PERSON, person_id, now)]


async def move_offset(
    tx: Tx, import_id: UUID, expected: int, by: int, now: datetime, expires_at: datetime
) -> tuple[int, bool] | None:
    """The new offset, and whether all has arrived; None where the upload is at another place."""
    row = await tx.fetchrow(MOVE_OFFSET, import_id, expected, by, now, expires_at)
    return (row["offset_bytes"], row["state"] == "queued") if row else None


async def start(tx: Tx, import_id: UUID, now: datetime) -> Import | None:
    """The import with the number of a new attempt, or None where there is nothing to take in."""
    return _import(await tx.fetchrow(START, import_id, now))


async def set_progress(
    tx: Tx, import_id: UUID, attempt: int, percent: int, is_checked: bool, now: datetime
) -> bool:
    """False where the attempt is no longer the current one."""
    done = await tx.fetchval(SET_PROGRESS, import_id, attempt, percent, is_checked, now)
    return done is not None


async def pardon(tx: Tx, import_id: UUID, attempt: int) -> None:
    await tx.execute(PARDON, import_id, attempt)


async def finish(
    tx: Tx, import_id: UUID, attempt: int, report: str, now: datetime, expires_at: datetime
) -> bool:
    """False where the attempt is no longer the current one."""
    done = await tx.fetchval(FINISH, import_id, attempt, report, now, expires_at)
    return done is not None


async def refuse(tx: Tx, import_id: UUID, code: str, now: datetime, expires_at: datetime) -> None:
    await tx.execute(REFUSE, import_id, code, now, expires_at)


async def drop(tx: Tx, import_id: UUID, person_id: UUID) -> bool:
    """False where the person has no such import."""
    return await tx.fetchval(DROP, import_id, person_id) is not None


async def stuck(tx: Tx, silent_since: datetime, most: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(STUCK, silent_since, most)]


async def drop_expired(tx: Tx, now: datetime) -> list[UUID]:
    """Forgets imports whose time has come, and says which; their objects are still there."""
    return [row["id"] for row in await tx.fetch(DROP_EXPIRED, now)]


async def add_item(
    tx: Tx, import_id: UUID, kind: ItemKind, subject: str, outcome: Outcome, made_id: UUID | None
) -> bool:
    """False where it is noted already."""
    done = await tx.execute(ADD_ITEM, import_id, kind, subject, outcome, made_id)
    return done.endswith(" 1")


async def item(tx: Tx, import_id: UUID, kind: ItemKind, subject: str) -> Item | None:
    row = await tx.fetchrow(ITEM, import_id, kind, subject)
    return Item(*row) if row else None


async def outcomes(tx: Tx, import_id: UUID) -> dict[str, dict[str, int]]:
    """How many things of each kind had which outcome."""
    found: dict[str, dict[str, int]] = {}
    async for row in tx.cursor(OUTCOMES, import_id):
        counts = found.setdefault(row["kind"], {})
        counts[row["outcome"]] = counts.get(row["outcome"], 0) + 1
    return found


async def erase(tx: Tx, person_id: UUID) -> list[UUID]:
    """Forgets all imports of a person, and says which."""
    return [row["id"] for row in await tx.fetch(ERASE, person_id)]


async def taken_along(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in listed(tx.cursor(TAKEN_ALONG, person_id)):
        report = row["report"]
        yield {**row, "report": None if report is None else msgspec.json.decode(report)}


def items_taken_along(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(ITEMS_TAKEN_ALONG, person_id))


def _import(row: Row | None) -> Import | None:
    return Import(*row) if row else None
