"""The SQL of reads that moderators ask for in a case: of what was disclosed of messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.safety.model import Disclosure
from luciole.kit.db import Tx

REPORTER = "SELECT reporter_id FROM messages.reported WHERE id = $1"
ADD = """
INSERT INTO safety.disclosure
    (read_id, review_id, message_report_id, person_id, staff_id, asked_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
# Of who asked, and as long as it may be signed or used.
OF_CASE = """
SELECT d.read_id, d.message_report_id, d.asked_at, s.signatures, s.is_granted, s.ends_at
FROM safety.disclosure d JOIN custody.read_state s ON s.id = d.read_id
WHERE d.review_id = $1 AND d.staff_id = $2 AND s.ends_at > $3
ORDER BY d.asked_at DESC, d.read_id DESC
"""
TIDY = "DELETE FROM safety.disclosure WHERE asked_at < $1"
ERASE = "DELETE FROM safety.disclosure WHERE person_id = $1"


async def reporter(tx: Tx, report_id: UUID) -> UUID | None:
    """Who made a report of messages; None where it is not kept any more."""
    found: UUID | None = await tx.fetchval(REPORTER, report_id)
    return found


async def add(
    tx: Tx,
    read_id: UUID,
    review_id: UUID,
    report_id: UUID,
    person_id: UUID,
    staff_id: UUID,
    at: datetime,
) -> None:
    await tx.execute(ADD, read_id, review_id, report_id, person_id, staff_id, at)


async def of_case(tx: Tx, review_id: UUID, staff_id: UUID, now: datetime) -> list[Disclosure]:
    return [Disclosure(*row) for row in await tx.fetch(OF_CASE, review_id, staff_id, now)]


async def tidy(tx: Tx, before: datetime) -> None:
    await tx.execute(TIDY, before)


async def erase(tx: Tx, person_id: UUID) -> int:
    """How many reads were forgotten with who reported."""
    return int((await tx.execute(ERASE, person_id)).rpartition(" ")[2])
