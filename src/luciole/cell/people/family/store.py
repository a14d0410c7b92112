"""SQL of families. Whoever is leaving has no card: what they are paired in is held meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from uuid import UUID

from luciole.cell.people.family.model import (
    Change,
    FamilyLimits,
    LimitsState,
    Pairing,
    SealedReport,
)
from luciole.cell.people.model import AgeBand
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, Sealed, listed

# Both, the lower id first: two who enter each other's codes wait for one another in order.
LOCK_BOTH = """
SELECT 1 FROM people.person WHERE id = ANY (ARRAY[$1::uuid, $2::uuid]) ORDER BY id
FOR NO KEY UPDATE
"""
BAND = """
SELECT age_band FROM people.person WHERE id = $1 AND home IS NULL AND leaving_at IS NULL
"""
SET_CODE = """
INSERT INTO people.family_code (person_id, code_hash, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO UPDATE
    SET code_hash = excluded.code_hash, expires_at = excluded.expires_at
"""
TAKE_CODE = """
DELETE FROM people.family_code WHERE code_hash = $1 AND expires_at > $2 RETURNING person_id
"""
ADD = """
INSERT INTO people.family_pairing (id, guardian_id, teen_id, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""
OF_PERSON = """
SELECT f.id, f.guardian_id, f.teen_id, t.age_band AS teen_band, f.made_at, f.expires_at,
       f.guardian_agreed_at, f.teen_agreed_at, f.ends_at
FROM people.family_pairing f
JOIN people.person t ON t.id = f.teen_id
JOIN people.person g ON g.id = f.guardian_id
WHERE (f.guardian_id = $1 OR f.teen_id = $1)
  AND t.leaving_at IS NULL AND g.leaving_at IS NULL AND t.age_band <> '18+'
  AND coalesce(f.ends_at, f.expires_at, 'infinity') > $2
ORDER BY f.made_at, f.id
"""
ONE = """
SELECT f.id, f.guardian_id, f.teen_id, t.age_band AS teen_band, f.made_at, f.expires_at,
       f.guardian_agreed_at, f.teen_agreed_at, f.ends_at
FROM people.family_pairing f
JOIN people.person t ON t.id = f.teen_id
JOIN people.person g ON g.id = f.guardian_id
WHERE f.id = $1
  AND t.leaving_at IS NULL AND g.leaving_at IS NULL AND t.age_band <> '18+'
  AND coalesce(f.ends_at, f.expires_at, 'infinity') > $2
"""
ONE_LOCKED = """
SELECT f.id, f.guardian_id, f.teen_id, t.age_band AS teen_band, f.made_at, f.expires_at,
       f.guardian_agreed_at, f.teen_agreed_at, f.ends_at
FROM people.family_pairing f
JOIN people.person t ON t.id = f.teen_id
JOIN people.person g ON g.id = f.guardian_id
WHERE f.id = $1
  AND t.leaving_at IS NULL AND g.leaving_at IS NULL AND t.age_band <> '18+'
  AND coalesce(f.ends_at, f.expires_at, 'infinity') > $2
FOR NO KEY UPDATE OF f
"""
BETWEEN = """
SELECT f.id, f.guardian_id, f.teen_id, t.age_band AS teen_band, f.made_at, f.expires_at,
       f.guardian_agreed_at, f.teen_agreed_at, f.ends_at
FROM people.family_pairing f
JOIN people.person t ON t.id = f.teen_id
JOIN people.person g ON g.id = f.guardian_id
WHERE (f.guardian_id, f.teen_id) IN (($1, $3), ($3, $1))
  AND t.leaving_at IS NULL AND g.leaving_at IS NULL AND t.age_band <> '18+'
  AND coalesce(f.ends_at, f.expires_at, 'infinity') > $2
FOR NO KEY UPDATE OF f
"""
# Held ones too: whoever is leaving may come back.
GUARDIANS_OF = """
SELECT guardian_id FROM people.family_pairing
WHERE teen_id = $1 AND expires_at IS NULL AND coalesce(ends_at, 'infinity') > $2
ORDER BY guardian_id LIMIT $3
"""
TEENS_OF = """
SELECT teen_id FROM people.family_pairing
WHERE guardian_id = $1 AND expires_at IS NULL AND coalesce(ends_at, 'infinity') > $2
ORDER BY teen_id LIMIT $3
"""
AGREE = """
UPDATE people.family_pairing SET guardian_agreed_at = $2, teen_agreed_at = $3, expires_at = $4
WHERE id = $1
"""
# Once a day: whoever looks again finds the day there. Two at once wait for one another.
SEEN = """
UPDATE people.family_pairing SET seen_on = $2 WHERE id = $1 AND seen_on IS DISTINCT FROM $2
RETURNING id
"""
SET_END = "UPDATE people.family_pairing SET ends_at = $2 WHERE id = $1"
DROP = "DELETE FROM people.family_pairing WHERE id = $1"
DROP_BETWEEN = """
DELETE FROM people.family_pairing
WHERE (guardian_id, teen_id) IN (($1, $2), ($2, $1)) AND id <> $3
"""
# What has run out, and whom to tell: not of what was never confirmed.
DROP_OVER = """
DELETE FROM people.family_pairing WHERE coalesce(ends_at, expires_at) <= $1
  AND (ends_at IS NOT NULL OR expires_at IS NOT NULL)
RETURNING id, guardian_id, teen_id, ends_at IS NOT NULL AS was_paired
"""
DROP_CODES_OVER = "DELETE FROM people.family_code WHERE expires_at <= $1"
DROP_REPORTS_OVER = "DELETE FROM people.family_time WHERE reported_at <= $1"
DROP_CODE = "DELETE FROM people.family_code WHERE person_id = $1"
DROP_ALL = "DELETE FROM people.family_pairing WHERE guardian_id = $1 OR teen_id = $1"
# Minutes are held for a family; without one they go.
DROP_REPORTS = """
DELETE FROM people.family_time WHERE person_id = $1 AND NOT EXISTS (
    SELECT 1 FROM people.family_pairing WHERE teen_id = $1 AND expires_at IS NULL)
"""
ERASE_REPORTS = "DELETE FROM people.family_time WHERE person_id = $1"
# Of each the newest; what stands is among them.
CHANGES = """
SELECT id, pairing_id, state, daily_min, sleep_from, sleep_to, keeps_private, for_you_off, made_at,
       answered_at
FROM people.family_limits
WHERE pairing_id = ANY ($1::uuid[]) ORDER BY id DESC LIMIT $2
"""
STANDING = """
SELECT id, pairing_id, state, daily_min, sleep_from, sleep_to, keeps_private, for_you_off, made_at,
       answered_at
FROM people.family_limits
WHERE pairing_id = ANY ($1::uuid[]) AND state IN ('proposed', 'in-force') ORDER BY id
"""
REPLACE = """
UPDATE people.family_limits SET state = $3, answered_at = $4 WHERE pairing_id = $1 AND state = $2
"""
ADD_LIMITS = """
INSERT INTO people.family_limits (id, pairing_id, state, daily_min, sleep_from, sleep_to,
    keeps_private, for_you_off, made_at, answered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)
"""
# For the young person's own acts: what holds now.
IN_FORCE = """
SELECT l.daily_min, l.sleep_from, l.sleep_to, l.keeps_private, l.for_you_off
FROM people.family_pairing f
JOIN people.family_limits l ON l.pairing_id = f.id AND l.state = 'in-force'
JOIN people.person g ON g.id = f.guardian_id AND g.leaving_at IS NULL
JOIN people.person t ON t.id = f.teen_id AND t.leaving_at IS NULL
WHERE f.teen_id = $1 AND f.expires_at IS NULL AND coalesce(f.ends_at, 'infinity') > $2
ORDER BY l.id
"""
CLOCK = """
SELECT offset_minutes FROM people.family_time WHERE person_id = $1
ORDER BY reported_at DESC LIMIT 1
"""
VERSION = "SELECT version FROM people.family_time WHERE session_id = $1"
SET_REPORT = """
INSERT INTO people.family_time
    (session_id, person_id, version, sealed, offset_minutes, reported_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (session_id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed,
    offset_minutes = excluded.offset_minutes, reported_at = excluded.reported_at
"""
REPORTS = """
SELECT version, sealed, reported_at FROM people.family_time
WHERE person_id = $1 ORDER BY reported_at DESC, session_id
"""
EXPORT_PAIRINGS = """
SELECT f.id, f.guardian_id, g.handle AS guardian, f.teen_id, t.handle AS teen, f.made_at,
       f.expires_at, f.guardian_agreed_at, f.teen_agreed_at, f.ends_at, f.seen_on
FROM people.family_pairing f
LEFT JOIN people.card g ON g.id = f.guardian_id
LEFT JOIN people.card t ON t.id = f.teen_id
WHERE f.guardian_id = $1 OR f.teen_id = $1 ORDER BY f.made_at, f.id
"""
EXPORT_LIMITS = """
SELECT l.id, l.pairing_id, l.state, l.daily_min, l.sleep_from, l.sleep_to, l.keeps_private,
       l.for_you_off, l.made_at, l.answered_at
FROM people.family_limits l JOIN people.family_pairing f ON f.id = l.pairing_id
WHERE f.guardian_id = $1 OR f.teen_id = $1 ORDER BY l.id
"""
EXPORT_TIME = """
SELECT version, sealed, offset_minutes, reported_at FROM people.family_time
WHERE person_id = $1 ORDER BY reported_at, session_id
"""


async def lock_both(tx: Tx, one: UUID, other: UUID) -> None:
    await tx.fetch(LOCK_BOTH, one, other)


async def band(tx: Tx, person_id: UUID) -> AgeBand | None:
    """The age band of somebody of this cell who is not leaving."""
    found: AgeBand | None = await tx.fetchval(BAND, person_id)
    return found


async def set_code(tx: Tx, person_id: UUID, code_hash: bytes, expires_at: datetime) -> None:
    await tx.execute(SET_CODE, person_id, code_hash, expires_at)


async def take_code(tx: Tx, code_hash: bytes, now: datetime) -> UUID | None:
    """Uses a code up; whose it was."""
    found: UUID | None = await tx.fetchval(TAKE_CODE, code_hash, now)
    return found


async def add(
    tx: Tx, pairing_id: UUID, guardian_id: UUID, teen_id: UUID, now: datetime, until: datetime
) -> None:
    await tx.execute(ADD, pairing_id, guardian_id, teen_id, now, until)


async def of_person(tx: Tx, person_id: UUID, now: datetime) -> list[Pairing]:
    return [Pairing(**row) for row in await tx.fetch(OF_PERSON, person_id, now)]


async def one(tx: Tx, pairing_id: UUID, now: datetime, *, is_locked: bool) -> Pairing | None:
    if is_locked:
        row = await tx.fetchrow(ONE_LOCKED, pairing_id, now)
    else:
        row = await tx.fetchrow(ONE, pairing_id, now)
    return Pairing(**row) if row else None


async def between(tx: Tx, one: UUID, other: UUID, now: datetime) -> Pairing | None:
    row = await tx.fetchrow(BETWEEN, one, now, other)
    return Pairing(**row) if row else None


async def guardians(tx: Tx, teen_id: UUID, now: datetime, most: int) -> int:
    return len(await tx.fetch(GUARDIANS_OF, teen_id, now, most))


async def teens(tx: Tx, guardian_id: UUID, now: datetime, most: int) -> int:
    return len(await tx.fetch(TEENS_OF, guardian_id, now, most))


async def agree(
    tx: Tx,
    pairing_id: UUID,
    guardian_at: datetime | None,
    teen_at: datetime | None,
    expires_at: datetime | None,
) -> None:
    await tx.execute(AGREE, pairing_id, guardian_at, teen_at, expires_at)


async def set_end(tx: Tx, pairing_id: UUID, ends_at: datetime | None) -> None:
    await tx.execute(SET_END, pairing_id, ends_at)


async def set_seen(tx: Tx, pairing_id: UUID, day: date) -> bool:
    """False where its guardian has looked on that day already."""
    return await tx.fetchval(SEEN, pairing_id, day) is not None


async def drop(tx: Tx, pairing_id: UUID) -> None:
    await tx.execute(DROP, pairing_id)


async def drop_between(tx: Tx, one: UUID, other: UUID, kept: UUID) -> None:
    await tx.execute(DROP_BETWEEN, one, other, kept)


async def drop_over(tx: Tx, now: datetime) -> list[tuple[UUID, UUID, UUID, bool]]:
    """What has run out: (pairing, guardian, young person, whether they were paired)."""
    rows = await tx.fetch(DROP_OVER, now)
    return [(row["id"], row["guardian_id"], row["teen_id"], row["was_paired"]) for row in rows]


async def tidy(tx: Tx, now: datetime, reported_before: datetime) -> None:
    await tx.execute(DROP_CODES_OVER, now)
    await tx.execute(DROP_REPORTS_OVER, reported_before)


async def drop_code(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_CODE, person_id)


async def drop_reports(tx: Tx, teen_id: UUID) -> None:
    """Forgets minutes that no family is there to see."""
    await tx.execute(DROP_REPORTS, teen_id)


async def erase(tx: Tx, person_id: UUID) -> int:
    """Everything of a person; gives how many pairings."""
    await tx.execute(DROP_CODE, person_id)
    await tx.execute(ERASE_REPORTS, person_id)
    return int((await tx.execute(DROP_ALL, person_id)).rpartition(" ")[2])


async def changes(tx: Tx, pairing_ids: Sequence[UUID], most: int) -> list[Change]:
    """What was set and proposed, the newest first."""
    return [_change(row) for row in await tx.fetch(CHANGES, list(pairing_ids), most)]


async def standing(tx: Tx, pairing_ids: Sequence[UUID]) -> list[Change]:
    """What holds, and what waits for an answer."""
    return [_change(row) for row in await tx.fetch(STANDING, list(pairing_ids))]


async def replace(
    tx: Tx, pairing_id: UUID, was: LimitsState, now_is: LimitsState, at: datetime
) -> bool:
    """False where there was none in that state."""
    return not (await tx.execute(REPLACE, pairing_id, was, now_is, at)).endswith(" 0")


async def add_limits(
    tx: Tx,
    limits_id: UUID,
    pairing_id: UUID,
    state: LimitsState,
    limits: FamilyLimits,
    now: datetime,
) -> None:
    await tx.execute(
        ADD_LIMITS,
        limits_id,
        pairing_id,
        state,
        limits.daily_min,
        limits.sleep_from,
        limits.sleep_to,
        limits.keeps_private,
        limits.for_you_off,
        now,
    )


async def in_force(tx: Tx, teen_id: UUID, now: datetime) -> list[FamilyLimits]:
    return [FamilyLimits(**row) for row in await tx.fetch(IN_FORCE, teen_id, now)]


async def clock(tx: Tx, teen_id: UUID) -> int | None:
    """How far the clock of the device that reported last is ahead of UTC, in minutes."""
    found: int | None = await tx.fetchval(CLOCK, teen_id)
    return found


async def version(tx: Tx, session_id: UUID) -> int:
    return await tx.fetchval(VERSION, session_id) or 0


async def set_report(
    tx: Tx,
    session_id: UUID,
    person_id: UUID,
    version: int,
    sealed: bytes,
    offset_minutes: int,
    now: datetime,
) -> None:
    await tx.execute(SET_REPORT, session_id, person_id, version, sealed, offset_minutes, now)


async def reports(tx: Tx, person_id: UUID) -> list[SealedReport]:
    """What each device has reported, the latest first."""
    return [SealedReport(**row) for row in await tx.fetch(REPORTS, person_id)]


def export_pairings(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_PAIRINGS, person_id))


def export_limits(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_LIMITS, person_id))


async def export_time(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in tx.cursor(EXPORT_TIME, person_id):
        found = dict(row)
        sealed = Sealed("family.time", found["version"], found.pop("sealed"))
        yield {**found, "minutes": sealed}


def _change(row: Row) -> Change:
    limits = FamilyLimits(
        row["daily_min"],
        row["sleep_from"],
        row["sleep_to"],
        row["keeps_private"],
        row["for_you_off"],
    )
    return Change(
        row["id"], row["pairing_id"], row["state"], limits, row["made_at"], row["answered_at"]
    )
