"""SQL of the rounds of the key, and of people who are brought from one to the next."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from luciole.cell.contacts.model import FIRST_ROUND, Findable, Kind, Round, Why
from luciole.kit.db import Tx

ROUND = """
SELECT number, salt, other_key, why, since,
    coalesce((SELECT number FROM contacts.round WHERE is_current), 1) AS oldest
FROM contacts.round WHERE is_current = $1
"""
# The round that is in use stays so until the transaction ends: for those who write under it, and
# for who puts another in its place.
HOLD = "SELECT pg_advisory_xact_lock_shared(hashtext('contacts.round'), 0)"
LOCK = "SELECT pg_advisory_xact_lock(hashtext('contacts.round'), 0)"
SET_SINCE = """
INSERT INTO contacts.round (number, is_current, salt, why, since) VALUES (1, true, '', 'first', $1)
ON CONFLICT DO NOTHING
"""
ASK = """
INSERT INTO contacts.round (number, is_current, salt, why)
SELECT $1, false, $2, $3
WHERE $1 > coalesce((SELECT number FROM contacts.round WHERE is_current), 1)
ON CONFLICT DO NOTHING
"""
SET_OTHER_KEY = "UPDATE contacts.round SET other_key = $2 WHERE number = $1 AND NOT is_current"

LEFT = """
SELECT f.person_id, f.kind, f.opening FROM contacts.findable f
LEFT JOIN contacts.renewed r ON r.person_id = f.person_id AND r.kind = f.kind AND r.round = $1
WHERE r.person_id IS NULL ORDER BY f.person_id, f.kind LIMIT $2
"""
# Nothing, where they want to be found no more, or by another address.
SET_RENEWED = """
INSERT INTO contacts.renewed (person_id, kind, round, mark, record, opening)
SELECT person_id, kind, $3, $5, $6, $7 FROM contacts.findable
WHERE person_id = $1 AND kind = $2 AND opening = $4
ON CONFLICT (person_id, kind) DO UPDATE
    SET round = excluded.round, mark = excluded.mark, record = excluded.record,
        opening = excluded.opening
"""
DROP_RENEWED = "DELETE FROM contacts.renewed WHERE person_id = $1"
DROP_KIND_RENEWED = "DELETE FROM contacts.renewed WHERE person_id = $1 AND kind = $2"
TURN_PEOPLE = """
UPDATE contacts.findable f SET mark = r.mark, record = r.record, opening = r.opening
FROM contacts.renewed r
WHERE r.person_id = f.person_id AND r.kind = f.kind AND r.round = $1 AND r.mark IS NOT NULL
"""
DROP_PEOPLE = """
DELETE FROM contacts.findable f USING contacts.renewed r
WHERE r.person_id = f.person_id AND r.kind = f.kind AND r.round = $1 AND r.mark IS NULL
"""
FORGET_RENEWED = "DELETE FROM contacts.renewed"
FORGET_FORMER = "DELETE FROM contacts.round WHERE is_current"
SET_CURRENT = "UPDATE contacts.round SET is_current = true, since = $2 WHERE number = $1"


async def current(tx: Tx) -> Round:
    """The round that is in use: the first, until one is noted."""
    row = await tx.fetchrow(ROUND, True)
    return Round(**row) if row else FIRST_ROUND


async def coming(tx: Tx) -> Round | None:
    """The round that people are brought to, if there is one."""
    row = await tx.fetchrow(ROUND, False)
    return Round(**row) if row else None


async def hold(tx: Tx) -> int:
    """The number of the round that is in use until `tx` ends."""
    await tx.execute(HOLD)
    return (await current(tx)).number


async def lock(tx: Tx) -> int:
    """The same, for who puts another in its place."""
    await tx.execute(LOCK)
    return (await current(tx)).number


async def set_since(tx: Tx, day: date) -> None:
    """Notes since when the first round counts."""
    await tx.execute(SET_SINCE, day)


async def ask(tx: Tx, number: int, salt: bytes, why: Why) -> bool:
    """Begins a round. False where one has begun already, or one of that day is in use."""
    return (await tx.execute(ASK, number, salt, why)).endswith(" 1")


async def set_other_key(tx: Tx, number: int, key: bytes) -> None:
    await tx.execute(SET_OTHER_KEY, number, key)


async def left(tx: Tx, number: int, most: int) -> list[tuple[UUID, Findable]]:
    """Who was not brought to a round yet."""
    return [
        (row["person_id"], Findable(row["kind"], row["opening"]))
        for row in await tx.fetch(LEFT, number, most)
    ]


async def set_renewed(
    tx: Tx,
    person_id: UUID,
    number: int,
    former: Findable,
    made: tuple[bytes, bytes, bytes] | None,
) -> None:
    """By what somebody will be found (mark, record, opening), None where they cannot be."""
    await tx.execute(
        SET_RENEWED, person_id, former.kind, number, former.opening, *(made or (None, None, None))
    )


async def drop_renewed(tx: Tx, person_id: UUID, kind: Kind | None = None) -> None:
    """Has it made anew."""
    if kind is None:
        await tx.execute(DROP_RENEWED, person_id)
    else:
        await tx.execute(DROP_KIND_RENEWED, person_id, kind)


async def turn(tx: Tx, number: int, today: date) -> None:
    """Puts a round in the place of the one before, of which nothing is left. After `lock`."""
    await tx.execute(TURN_PEOPLE, number)
    await tx.execute(DROP_PEOPLE, number)
    await tx.execute(FORGET_RENEWED)
    await tx.execute(FORGET_FORMER)
    await tx.execute(SET_CURRENT, number, today)
