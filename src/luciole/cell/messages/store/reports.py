"""SQL of reports: what somebody disclosed of messages, sealed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.kit.db import Tx

ADD = """
INSERT INTO messages.report (id, reporter_id, about_id, sealed, made_at)
VALUES ($1, $2, $3, $4, $5)
"""
OF_REPORTER = "SELECT id, sealed FROM messages.report WHERE reporter_id = $1 ORDER BY id"
TIDY = "DELETE FROM messages.report WHERE made_at < $1"


async def add(
    tx: Tx, report_id: UUID, reporter_id: UUID, about_id: UUID, sealed: bytes, at: datetime
) -> None:
    await tx.execute(ADD, report_id, reporter_id, about_id, sealed, at)


async def of_reporter(tx: Tx, reporter_id: UUID) -> list[tuple[UUID, bytes]]:
    """Reports that a person made, sealed, the oldest first."""
    return [(row["id"], row["sealed"]) for row in await tx.fetch(OF_REPORTER, reporter_id)]


async def tidy(tx: Tx, before: datetime) -> None:
    await tx.execute(TIDY, before)
