"""SQL of how often somebody did something of late."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.people.model import Pace
from luciole.kit.db import Tx

# One row for each act of a person: from when on it counts, and how often since.
TAKE = """
INSERT INTO people.pace AS p (person_id, act, begun_at, done) VALUES ($1, $2, $3, 1)
ON CONFLICT (person_id, act) DO UPDATE SET
    begun_at = CASE WHEN p.begun_at <= $4 THEN excluded.begun_at ELSE p.begun_at END,
    done = CASE WHEN p.begun_at <= $4 THEN 1 ELSE p.done + 1 END
RETURNING act, begun_at, done
"""
TIDY = "DELETE FROM people.pace WHERE begun_at < $1"
ERASE = "DELETE FROM people.pace WHERE person_id = $1"


async def take(tx: Tx, person_id: UUID, act: str, now: datetime, since: datetime) -> Pace:
    """Counts one more, from the beginning again where that was at `since` or before."""
    row = await tx.fetchrow(TAKE, person_id, act, now, since)
    assert row is not None
    return Pace(*row)


async def tidy(tx: Tx, before: datetime) -> None:
    """Forgets what counts no more."""
    await tx.execute(TIDY, before)


async def erase(tx: Tx, person_id: UUID) -> None:
    await tx.execute(ERASE, person_id)
