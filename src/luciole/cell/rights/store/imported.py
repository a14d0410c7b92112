"""SQL of what people brought along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.rights.imported_model import Kind, SealedList
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

# Others of the same person wait until this transaction ends.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('rights.imported/' || $1::text, 0))"
ONE = "SELECT version, sealed FROM rights.imported WHERE person_id = $1 AND kind = $2"
PUT = """
INSERT INTO rights.imported (person_id, kind, version, sealed) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id, kind) DO UPDATE
    SET version = excluded.version, sealed = excluded.sealed
"""
DROP = "DELETE FROM rights.imported WHERE person_id = $1 AND kind = $2"
ERASE = "DELETE FROM rights.imported WHERE person_id = $1"
EXPORT = """
SELECT kind, version, sealed FROM rights.imported WHERE person_id = $1 ORDER BY kind
"""


async def lock(tx: Tx, person_id: UUID) -> None:
    await tx.execute(LOCK, str(person_id))


async def one(tx: Tx, person_id: UUID, kind: Kind) -> SealedList | None:
    row = await tx.fetchrow(ONE, person_id, kind)
    return SealedList(row["version"], row["sealed"]) if row else None


async def put(tx: Tx, person_id: UUID, kind: Kind, value: SealedList) -> None:
    await tx.execute(PUT, person_id, kind, value.version, value.sealed)


async def drop(tx: Tx, person_id: UUID, kind: Kind) -> None:
    await tx.execute(DROP, person_id, kind)


async def erase(tx: Tx, person_id: UUID) -> int:
    """Removes all lists of a person; gives how many."""
    return int((await tx.execute(ERASE, person_id)).rpartition(" ")[2])


def taken_along(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))
