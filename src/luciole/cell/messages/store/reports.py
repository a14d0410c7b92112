"""SQL of reports: what somebody disclosed of messages, sealed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.messages.model import Kept, Report
from luciole.kit.db import Tx

ADD = """
INSERT INTO messages.report (id, reporter_id, about_id, sealed, made_at)
VALUES ($1, $2, $3, $4, $5)
"""
OF_REPORTER = """
SELECT r.id, p.handle AS about, r.made_at, r.sealed
FROM messages.report r LEFT JOIN people.card p ON p.id = r.about_id
WHERE r.reporter_id = $1 ORDER BY r.id
"""
ONE = "SELECT id, made_at, sealed FROM messages.report WHERE id = $1"
WAITING = """
SELECT r.id, p.handle, r.made_at
FROM messages.report r JOIN people.card p ON p.id = r.reporter_id
ORDER BY r.id DESC LIMIT $1
"""
TIDY = "DELETE FROM messages.report WHERE made_at < $1"


async def add(
    tx: Tx, report_id: UUID, reporter_id: UUID, about_id: UUID, sealed: bytes, at: datetime
) -> None:
    await tx.execute(ADD, report_id, reporter_id, about_id, sealed, at)


async def of_reporter(tx: Tx, reporter_id: UUID) -> list[Report]:
    """Reports that a person made, sealed, the oldest first."""
    return [Report(**row) for row in await tx.fetch(OF_REPORTER, reporter_id)]


async def one(tx: Tx, report_id: UUID) -> Kept | None:
    """A report, sealed; None where it is not kept any more."""
    row = await tx.fetchrow(ONE, report_id)
    return Kept(**row) if row else None


async def waiting(tx: Tx, most: int) -> list[tuple[UUID, str, datetime]]:
    """The newest reports: which, by whom, when."""
    rows = await tx.fetch(WAITING, most)
    return [(row["id"], row["handle"], row["made_at"]) for row in rows]


async def tidy(tx: Tx, before: datetime) -> None:
    await tx.execute(TIDY, before)
