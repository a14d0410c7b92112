"""What people want to be told and when, and the daily digest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from luciole.cell.notify.model import Wishes
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

# Whoever is leaving has no card, and is told quietly at night whatever their age.
WISHES = """
SELECT coalesce(f.off, '{}') AS off, f.digest_at, coalesce(f.quiet_nights, false) AS quiet_nights,
       f.offset_minutes, coalesce(p.age_band_minor, true) AS is_minor, p.id IS NULL AS is_leaving
FROM (SELECT $1::uuid AS id) one
LEFT JOIN people.card p ON p.id = one.id
LEFT JOIN notify.preference f ON f.person_id = one.id
"""
SET_WISHES = """
INSERT INTO notify.preference (person_id, off, digest_at, quiet_nights, offset_minutes)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id) DO UPDATE SET off = excluded.off, digest_at = excluded.digest_at,
    quiet_nights = excluded.quiet_nights, offset_minutes = excluded.offset_minutes
"""
# One tap, and another in a second window at the same moment: neither takes the other back.
TURN = """
INSERT INTO notify.preference AS f (person_id, off)
VALUES ($1, CASE WHEN $3::boolean THEN '{}' ELSE ARRAY[$2::text] END)
ON CONFLICT (person_id) DO UPDATE SET off = CASE WHEN $3::boolean THEN array_remove(f.off, $2)
    ELSE array_append(array_remove(f.off, $2), $2) END
"""
# What waited for a digest is told now; it may stand beside a line that it could have been in.
RELEASE = "UPDATE notify.line SET waits = false, is_group = false WHERE person_id = $1 AND waits"
# Of people whose hour has come and who have had no digest on their day yet.
DUE = """
SELECT f.person_id FROM notify.preference f
WHERE f.digest_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM notify.line l WHERE l.person_id = f.person_id AND l.waits)
  AND extract(hour FROM $1::timestamp + make_interval(mins => coalesce(f.offset_minutes, 0)))
      >= f.digest_at
  AND f.digested_on IS DISTINCT FROM
      ($1::timestamp + make_interval(mins => coalesce(f.offset_minutes, 0)))::date
ORDER BY f.person_id LIMIT $2
FOR UPDATE SKIP LOCKED
"""
ADD_DIGEST = """
INSERT INTO notify.line (id, person_id, kind, top_id) VALUES ($1, $2, 'digest', $1)
"""
GATHER = """
UPDATE notify.line SET waits = false, digest_id = $2 WHERE person_id = $1 AND waits
"""
DIGESTED = """
UPDATE notify.preference SET digested_on =
    ($2::timestamp + make_interval(mins => coalesce(offset_minutes, 0)))::date
WHERE person_id = $1
"""
ERASE_WISHES = "DELETE FROM notify.preference WHERE person_id = $1"
EXPORT_WISHES = """
SELECT off, digest_at, digested_on, quiet_nights, offset_minutes FROM notify.preference
WHERE person_id = $1
"""


async def wishes(tx: Tx, person_id: UUID) -> Wishes | None:
    """None for somebody who is leaving: they are told nothing."""
    row = await tx.fetchrow(WISHES, person_id)
    return _wishes(row) if row and not row["is_leaving"] else None


async def chosen(tx: Tx, person_id: UUID) -> Wishes:
    """The same, also for somebody who is leaving and may stay."""
    row = await tx.fetchrow(WISHES, person_id)
    assert row is not None  # one row whoever is asked about
    return _wishes(row)


def _wishes(row: Row) -> Wishes:
    return Wishes(
        frozenset(row["off"]),
        row["digest_at"],
        row["quiet_nights"],
        row["offset_minutes"],
        row["is_minor"],
    )


async def set_wishes(
    tx: Tx,
    person_id: UUID,
    off: Sequence[str],
    digest_at: int | None,
    quiet_nights: bool,
    offset_minutes: int | None,
) -> None:
    await tx.execute(SET_WISHES, person_id, off, digest_at, quiet_nights, offset_minutes)


async def turn(tx: Tx, person_id: UUID, kind: str, is_on: bool) -> None:
    await tx.execute(TURN, person_id, kind, is_on)


async def release(tx: Tx, person_id: UUID) -> None:
    await tx.execute(RELEASE, person_id)


async def due(tx: Tx, now: datetime, most: int) -> list[UUID]:
    """Some whose digest is due, locked. `now` in UTC."""
    rows = await tx.fetch(DUE, now.replace(tzinfo=None), most)
    return [row["person_id"] for row in rows]


async def gather(tx: Tx, person_id: UUID, digest_id: UUID, now: datetime) -> None:
    """Makes the digest of what waits."""
    await tx.execute(ADD_DIGEST, digest_id, person_id)
    await tx.execute(GATHER, person_id, digest_id)
    await tx.execute(DIGESTED, person_id, now.replace(tzinfo=None))


async def erase(tx: Tx, person_id: UUID) -> None:
    await tx.execute(ERASE_WISHES, person_id)


def export_wishes(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_WISHES, person_id))
