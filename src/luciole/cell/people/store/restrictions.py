"""SQL of what decisions keep people from. Whether one holds, a session says (`sessions.LIVE`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from luciole.cell.people.model import Restriction
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

BEGIN = """
INSERT INTO people.restriction (id, person_id, act, begun_at, until) VALUES ($1, $2, $3, $4, $5)
"""
END = "UPDATE people.restriction SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"
EXPORT = """
SELECT id, act, begun_at, until, ended_at FROM people.restriction
WHERE person_id = $1 ORDER BY begun_at, id, act
"""


async def begin(tx: Tx, one: Restriction) -> None:
    rows = [(one.id, one.person_id, act, one.begun_at, one.until) for act in one.acts]
    await tx.executemany(BEGIN, rows)


async def end(tx: Tx, decision_id: UUID, now: datetime) -> None:
    await tx.execute(END, decision_id, now)


def export(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))
