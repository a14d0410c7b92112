"""SQL of who sent a notice without an account, and wanted to be written to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.kit.db import Tx

# What stands now: of an appeal that is answered, its outcome; else the report's. In no order, so
# that addresses that are refused for now keep no other from being written to.
TO_TELL = """
SELECT r.id, n.email, n.locale, coalesce(a.outcome, r.outcome) AS outcome,
       coalesce(a.decided_at, r.decided_at) AS decided_at
FROM safety.notifier n
JOIN safety.report r ON r.id = n.report_id
LEFT JOIN safety.appeal a ON a.report_id = r.id AND a.outcome <> 'waiting'
WHERE n.email <> '' AND coalesce(a.outcome, r.outcome) NOT IN ('waiting', n.told)
  AND coalesce(a.decided_at, r.decided_at) > $1
ORDER BY random() LIMIT $2
"""
# Of notices by the form, of something illegal in these categories. Never the address.
NAMES = """
SELECT r.id, n.name FROM safety.notifier n JOIN safety.report r ON r.id = n.report_id
WHERE r.review_id = $1 AND r.is_illegal AND r.category = ANY ($2::text[]) AND n.name <> ''
ORDER BY r.id
"""
TOLD = "UPDATE safety.notifier SET told = $2 WHERE report_id = $1"
FORGET_ADDRESS = "UPDATE safety.notifier SET email = '' WHERE report_id = $1"
# Nobody can appeal any more, no appeal waits, and its answer need not be told any more.
TIDY = """
DELETE FROM safety.notifier n USING safety.report r
WHERE r.id = n.report_id AND r.decided_at < $1 AND NOT EXISTS (
    SELECT 1 FROM safety.appeal a
    WHERE a.report_id = r.id AND (a.outcome = 'waiting' OR a.decided_at > $2))
"""


class ToTell(NamedTuple):
    """Who is to be written to about what."""

    report_id: UUID
    email: str
    locale: str
    outcome: str
    decided_at: datetime


async def to_tell(tx: Tx, since: datetime, most: int) -> list[ToTell]:
    return [ToTell(*row) for row in await tx.fetch(TO_TELL, since, most)]


async def names(tx: Tx, review_id: UUID, categories: Sequence[str]) -> list[tuple[UUID, str]]:
    """Reports of a case whose maker's name may count, the oldest first, and those names."""
    return [tuple(row) for row in await tx.fetch(NAMES, review_id, categories)]


async def told(tx: Tx, report_id: UUID, outcome: str) -> None:
    await tx.execute(TOLD, report_id, outcome)


async def forget_address(tx: Tx, report_id: UUID) -> None:
    await tx.execute(FORGET_ADDRESS, report_id)


async def tidy(tx: Tx, before: datetime, told_before: datetime) -> None:
    await tx.execute(TIDY, before, told_before)
