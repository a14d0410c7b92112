"""SQL of what decisions of moderators do to clips, comments and people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from luciole.cell.notices.model import Label, Measure
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

ADD = """
INSERT INTO notices.measure
    (id, effect, what, person_id, clip_id, comment_id, countries, label, begun_at, until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
END = "UPDATE notices.measure SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"
OF = """
SELECT id, effect, what, person_id, clip_id, comment_id, countries, label, begun_at, until
FROM notices.measure WHERE id = $1 AND effect <> 'label'
"""
LABELS = """
SELECT clip_id, label, decision_id FROM notices.label_of WHERE clip_id = ANY ($1::uuid[])
ORDER BY clip_id, label
"""
EXPORT = """
SELECT id, effect, what, clip_id, comment_id, countries, label, begun_at, until, ended_at
FROM notices.measure WHERE person_id = $1 ORDER BY begun_at, id, effect
"""
ERASE = "DELETE FROM notices.measure WHERE person_id = $1"


async def add(tx: Tx, one: Measure) -> None:
    await tx.execute(
        ADD,
        one.id,
        one.effect,
        one.what,
        one.person_id,
        one.clip_id,
        one.comment_id,
        list(one.countries),
        one.label,
        one.begun_at,
        one.until,
    )


async def end(tx: Tx, decision_id: UUID, now: datetime) -> None:
    await tx.execute(END, decision_id, now)


async def withholding(tx: Tx, decision_id: UUID) -> Measure | None:
    """What a decision keeps from others."""
    row = await tx.fetchrow(OF, decision_id)
    return Measure(**{**row, "countries": tuple(row["countries"])}) if row else None


async def labels(tx: Tx, clip_ids: Sequence[UUID]) -> dict[UUID, list[Label]]:
    """The labels that decisions have put on clips."""
    found: dict[UUID, list[Label]] = {}
    for row in await tx.fetch(LABELS, list(clip_ids)):
        found.setdefault(row["clip_id"], []).append(Label(row["label"], row["decision_id"]))
    return found


def export(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))


async def erase(tx: Tx, person_id: UUID) -> int:
    return int((await tx.execute(ERASE, person_id)).rpartition(" ")[2])
