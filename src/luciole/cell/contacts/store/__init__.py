"""SQL of contact discovery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from uuid import UUID

from luciole.cell.contacts.model import Asked, Day, Findable, Kind, Mine, State, Waiting
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

MINE = """
SELECT c.kind, v.kind IS NOT NULL AS is_verified, f.kind IS NOT NULL AS is_findable
FROM people.contact_version c
LEFT JOIN contacts.verified v
    ON v.person_id = c.person_id AND v.kind = c.kind AND v.version = c.version
LEFT JOIN contacts.findable f ON f.person_id = v.person_id AND f.kind = v.kind
WHERE c.person_id = $1 ORDER BY c.kind
"""
VERSION = "SELECT version FROM people.contact_version WHERE person_id = $1 AND kind = $2"
IS_VERIFIED = """
SELECT EXISTS (
    SELECT 1 FROM contacts.verified v JOIN people.contact_version c USING (person_id, kind, version)
    WHERE v.person_id = $1 AND ($2::text IS NULL OR v.kind = $2))
"""
# Of two who show the same address at once, the lock makes one the last.
LOCK_ADDRESS = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 52))"
DROP_FORMER = """
DELETE FROM contacts.verified WHERE kind = $2 AND address_index = $3 AND person_id <> $1
"""
SET_VERIFIED = """
INSERT INTO contacts.verified (person_id, kind, version, verified_on, address_index)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, kind) DO UPDATE
    SET version = excluded.version, verified_on = excluded.verified_on,
        address_index = excluded.address_index
"""

SET_WAITING = """
INSERT INTO contacts.verification (person_id, kind, version, code_hash, made_at, address_index)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (person_id, kind) DO UPDATE
    SET version = excluded.version, code_hash = excluded.code_hash,
        made_at = excluded.made_at, address_index = excluded.address_index, tries = 0
"""
# The row stays locked until the transaction ends, so that tries are counted one by one.
TAKE_TRY = """
UPDATE contacts.verification SET tries = tries + 1 WHERE person_id = $1 AND kind = $2
RETURNING version, address_index, code_hash, tries,
    extract(epoch FROM $3::timestamptz - made_at)::integer AS age_s
"""
WAITING = """
SELECT version, address_index, code_hash, tries,
    extract(epoch FROM $3::timestamptz - made_at)::integer AS age_s
FROM contacts.verification WHERE person_id = $1 AND kind = $2
"""
DROP_WAITING = "DELETE FROM contacts.verification WHERE person_id = $1 AND kind = $2"
COUNT_SENT = """
INSERT INTO contacts.sent AS s (person_id, day) VALUES ($1, $2)
ON CONFLICT (person_id, day) DO UPDATE SET codes = s.codes + 1 RETURNING codes
"""

SET_FINDABLE = """
INSERT INTO contacts.findable (person_id, kind, mark, record, opening) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, kind) DO UPDATE
    SET mark = excluded.mark, record = excluded.record, opening = excluded.opening
"""
DROP_FINDABLE = "DELETE FROM contacts.findable WHERE person_id = $1 AND kind = $2"
FINDABLE = "SELECT kind, opening FROM contacts.findable WHERE person_id = $1 ORDER BY kind"
SET_RECORD = "UPDATE contacts.findable SET record = $3 WHERE person_id = $1 AND kind = $2"
STATE = """
SELECT coalesce((SELECT number FROM contacts.edition), 0) AS number,
    coalesce((SELECT number FROM contacts.round WHERE is_current), 1) AS round
"""
WITHDRAWN = "SELECT nonce FROM contacts.withdrawn WHERE number > $1"
# Marks with their records, in order; of people who are leaving none.
ENTRIES = """
SELECT string_agg(mark || record, '' ORDER BY mark, person_id, kind)
FROM (
    SELECT f.mark, f.record, f.person_id, f.kind FROM contacts.findable f
    JOIN people.card p ON p.id = f.person_id
    WHERE f.mark >= $1 AND ($2::bytea IS NULL OR f.mark < $2)) AS found
"""

# Others of the same person wait until this transaction ends.
ASKED = """
INSERT INTO contacts.asked AS a (person_id, since) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET points = a.points RETURNING since, points
"""
LOOK_ASKED = "SELECT since, points FROM contacts.asked WHERE person_id = $1"
SPEND = "UPDATE contacts.asked SET points = greatest(points + $2, 0) WHERE person_id = $1"
SPEND_DAY = """
INSERT INTO contacts.day AS d (day, points) VALUES ($1, greatest($2, 0))
ON CONFLICT (day) DO UPDATE SET points = greatest(d.points + $2, 0)
"""
DAYS = "SELECT day, points FROM contacts.day WHERE day < $1 ORDER BY day DESC LIMIT $2"

TIDY_WAITING = "DELETE FROM contacts.verification WHERE made_at < $1"
TIDY_SENT = "DELETE FROM contacts.sent WHERE day < $1"
TIDY_DAYS = "DELETE FROM contacts.day WHERE day < $1"
TIDY_WITHDRAWN = "DELETE FROM contacts.withdrawn WHERE at < $1"

ERASE_WAITING = "DELETE FROM contacts.verification WHERE person_id = $1"
ERASE_SENT = "DELETE FROM contacts.sent WHERE person_id = $1"
ERASE_FINDABLE = "DELETE FROM contacts.findable WHERE person_id = $1"
ERASE_VERIFIED = "DELETE FROM contacts.verified WHERE person_id = $1"
ERASE_ASKED = "DELETE FROM contacts.asked WHERE person_id = $1"

EXPORT_VERIFIED = """
SELECT v.kind, v.version, v.verified_on, f.kind IS NOT NULL AS is_findable, f.mark
FROM contacts.verified v LEFT JOIN contacts.findable f USING (person_id, kind)
WHERE v.person_id = $1 ORDER BY v.kind
"""
EXPORT_ASKED = "SELECT since, points FROM contacts.asked WHERE person_id = $1"
EXPORT_SENT = "SELECT day, codes FROM contacts.sent WHERE person_id = $1 ORDER BY day"


async def mine(tx: Tx, person_id: UUID) -> list[Mine]:
    return [Mine(**row) for row in await tx.fetch(MINE, person_id)]


async def version(tx: Tx, person_id: UUID, kind: Kind) -> int | None:
    """The number of the last write of this address, None where there is none."""
    found: int | None = await tx.fetchval(VERSION, person_id, kind)
    return found


async def is_verified(tx: Tx, person_id: UUID, kind: Kind | None = None) -> bool:
    """Whether this address, or any, is proved as it is now."""
    return bool(await tx.fetchval(IS_VERIFIED, person_id, kind))


async def set_verified(
    tx: Tx, person_id: UUID, kind: Kind, version: int, on: date, index: bytes | None
) -> None:
    """The address is this person's from now on, and nobody else's."""
    if index is not None:
        await tx.execute(LOCK_ADDRESS, index)
        await tx.execute(DROP_FORMER, person_id, kind, index)
    await tx.execute(SET_VERIFIED, person_id, kind, version, on, index)


async def set_waiting(
    tx: Tx,
    person_id: UUID,
    kind: Kind,
    version: int,
    code_hash: bytes,
    at: datetime,
    index: bytes,
) -> None:
    """A code that was sent, in place of a former one."""
    await tx.execute(SET_WAITING, person_id, kind, version, code_hash, at, index)


async def waiting(tx: Tx, person_id: UUID, kind: Kind, now: datetime) -> Waiting | None:
    row = await tx.fetchrow(WAITING, person_id, kind, now)
    return Waiting(**row) if row else None


async def take_try(tx: Tx, person_id: UUID, kind: Kind, now: datetime) -> Waiting | None:
    """The code that waits, with this try counted."""
    row = await tx.fetchrow(TAKE_TRY, person_id, kind, now)
    return Waiting(**row) if row else None


async def drop_waiting(tx: Tx, person_id: UUID, kind: Kind) -> None:
    await tx.execute(DROP_WAITING, person_id, kind)


async def count_sent(tx: Tx, person_id: UUID, day: date) -> int:
    """How many codes with this one on that day."""
    return int(await tx.fetchval(COUNT_SENT, person_id, day))


async def set_findable(
    tx: Tx, person_id: UUID, kind: Kind, mark: bytes, record: bytes, opening: bytes
) -> None:
    await tx.execute(SET_FINDABLE, person_id, kind, mark, record, opening)


async def drop_findable(tx: Tx, person_id: UUID, kind: Kind) -> None:
    await tx.execute(DROP_FINDABLE, person_id, kind)


async def findable(tx: Tx, person_id: UUID) -> list[Findable]:
    return [Findable(**row) for row in await tx.fetch(FINDABLE, person_id)]


async def set_record(tx: Tx, person_id: UUID, kind: Kind, record: bytes) -> None:
    await tx.execute(SET_RECORD, person_id, kind, record)


async def state(tx: Tx) -> State:
    """What goes up with each change of what is findable."""
    row = await tx.fetchrow(STATE)
    assert row is not None
    return State(**row)


async def withdrawn(tx: Tx, after: int) -> frozenset[bytes]:
    """How records begin that were taken away after an edition."""
    return frozenset(row["nonce"] for row in await tx.fetch(WITHDRAWN, after))


async def entries(tx: Tx, start: bytes, end: bytes | None) -> bytes:
    """Marks (16 bytes) with their records (48 bytes), one after the other in the order of marks,
    from `start` until before `end`."""
    return bytes(await tx.fetchval(ENTRIES, start, end) or b"")


async def asked(tx: Tx, person_id: UUID, today: date) -> Asked:
    """What a person has asked until now, locked."""
    row = await tx.fetchrow(ASKED, person_id, today)
    assert row is not None
    return Asked(**row)


async def look_asked(tx: Tx, person_id: UUID) -> Asked | None:
    row = await tx.fetchrow(LOOK_ASKED, person_id)
    return Asked(**row) if row else None


async def spend(tx: Tx, person_id: UUID, day: date, points: int) -> None:
    """Counts points, or gives them back where they are below nought."""
    await tx.execute(SPEND, person_id, points)
    await tx.execute(SPEND_DAY, day, points)


async def days(tx: Tx, before: date, most: int) -> list[Day]:
    """What all have asked on days that are over, the newest first."""
    return [Day(**row) for row in await tx.fetch(DAYS, before, most)]


async def tidy(
    tx: Tx,
    codes_before: datetime,
    sent_before: date,
    days_before: date,
    withdrawn_before: datetime,
) -> None:
    await tx.execute(TIDY_WITHDRAWN, withdrawn_before)
    await tx.execute(TIDY_WAITING, codes_before)
    await tx.execute(TIDY_SENT, sent_before)
    await tx.execute(TIDY_DAYS, days_before)


async def erase(tx: Tx, person_id: UUID) -> int:
    """Forgets everything of a person here; gives by how many addresses they were found."""
    await tx.execute(ERASE_WAITING, person_id)
    await tx.execute(ERASE_SENT, person_id)
    found = int((await tx.execute(ERASE_FINDABLE, person_id)).rpartition(" ")[2])
    await tx.execute(ERASE_VERIFIED, person_id)
    await tx.execute(ERASE_ASKED, person_id)
    return found


def export_verified(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_VERIFIED, person_id))


def export_asked(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_ASKED, person_id))


def export_sent(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_SENT, person_id))
