"""The SQL of the console: shifts, acts, days, figures, and what the views of others count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from luciole.cell.console.model import Day, Done, Figure, Guarding, Role, Shift, Terms
from luciole.kit.db import Row, Tx

# Who is staff
ROLES_OF = "SELECT roles FROM custody.office WHERE person_id = $1"
HOLDS = """
SELECT EXISTS (
    SELECT 1 FROM custody.office WHERE id = $1 AND person_id = $2 AND $3::text = ANY (roles)
)
"""
# Shifts
ADD_SHIFT = """
INSERT INTO console.shift (id, session_id, person_id, role, asked_at) VALUES ($1, $2, $3, $4, $5)
"""
SHIFT = """
SELECT id, session_id, person_id, role, staff_id, asked_at, ends_at
FROM console.shift WHERE id = $1
"""
BEGIN_SHIFT = "UPDATE console.shift SET staff_id = $2, ends_at = $3 WHERE id = $1"
END_SHIFTS = "UPDATE console.shift SET ends_at = $2 WHERE session_id = $1 AND ends_at > $2"
ON_SHIFT = """
SELECT s.id, s.session_id, s.person_id, s.role, s.staff_id, s.asked_at, s.ends_at
FROM console.shift s JOIN custody.office o ON o.id = s.staff_id AND o.person_id = s.person_id
WHERE s.session_id = $1 AND s.person_id = $2 AND s.ends_at > $3 AND s.role = ANY (o.roles)
ORDER BY s.ends_at DESC LIMIT 1
"""
TIDY_SHIFTS = "DELETE FROM console.shift WHERE asked_at < $1"
DROP_SHIFTS = "DELETE FROM console.shift WHERE person_id = $1 RETURNING id"
# Acts
ADD_ACT = """
INSERT INTO console.act (id, at, staff_id, role, act, what) VALUES ($1, $2, $3, $4, $5, $6)
"""
ACTS = """
SELECT id, at, staff_id, role, act, what FROM console.act
WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
"""
ACTS_OF = """
SELECT id, at, staff_id, role, act, what FROM console.act
WHERE at >= $1 AND at < $2 ORDER BY id
"""
FIRST_ACT_SINCE = "SELECT at FROM console.act WHERE at >= $1 ORDER BY at LIMIT 1"
TIDY_ACTS = "DELETE FROM console.act WHERE at < $1"
# Days
LAST_DAY = "SELECT day FROM console.day ORDER BY day DESC LIMIT 1"
ADD_DAY = """
INSERT INTO console.day (day, acts, sha256) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
RETURNING day
"""
DAYS = "SELECT day, acts, sha256 FROM console.day ORDER BY day DESC LIMIT $1"
TIDY_DAYS = "DELETE FROM console.day WHERE day < $1"
# Figures
COUNTED = """
SELECT name, value FROM people.counted
UNION ALL SELECT name, value FROM clips.counted
UNION ALL SELECT name, value FROM media.counted
UNION ALL SELECT name, value FROM messages.counted
UNION ALL SELECT name, value FROM rights.counted
UNION ALL SELECT name, value FROM notices.counted
ORDER BY name
"""
TABLES = "SELECT name, size_bytes FROM console.tables ORDER BY name"
EMPTY_FIGURES = "DELETE FROM console.figure"
ADD_FIGURE = "INSERT INTO console.figure (name, value, counted_at) VALUES ($1, $2, $3)"
FIGURES = "SELECT name, value, counted_at FROM console.figure ORDER BY name"
# Of others
WAITING = "SELECT log, entries FROM ledger.waiting ORDER BY log"
TERMS = "SELECT version, first_shown_at, agreed FROM people.terms_known ORDER BY first_shown_at"
GUARDING = "SELECT peer, is_on, since, held FROM custody.guarding"


async def roles_of(tx: Tx, person_id: UUID) -> list[Role]:
    """As what somebody is staff; none where they are not."""
    return list(await tx.fetchval(ROLES_OF, person_id) or [])


async def holds(tx: Tx, staff_id: UUID, person_id: UUID, role: Role) -> bool:
    """Whether this person is this one of the staff, with this role."""
    return bool(await tx.fetchval(HOLDS, staff_id, person_id, role))


async def add_shift(tx: Tx, one: Shift) -> None:
    await tx.execute(ADD_SHIFT, one.id, one.session_id, one.person_id, one.role, one.asked_at)


async def shift(tx: Tx, shift_id: UUID) -> Shift | None:
    row = await tx.fetchrow(SHIFT, shift_id)
    return Shift(*row) if row else None


async def begin_shift(tx: Tx, shift_id: UUID, staff_id: UUID, ends_at: datetime) -> None:
    await tx.execute(BEGIN_SHIFT, shift_id, staff_id, ends_at)


async def end_shifts(tx: Tx, session_id: UUID, now: datetime) -> None:
    """Ends what is open on a session."""
    await tx.execute(END_SHIFTS, session_id, now)


async def on_shift(tx: Tx, session_id: UUID, person_id: UUID, now: datetime) -> Shift | None:
    row = await tx.fetchrow(ON_SHIFT, session_id, person_id, now)
    return Shift(*row) if row else None


async def add_act(tx: Tx, one: Done) -> None:
    await tx.execute(ADD_ACT, one.id, one.at, one.staff_id, one.role, one.act, one.what)


async def acts(tx: Tx, before: UUID | None, limit: int) -> list[Done]:
    """Before an id, the newest first."""
    return [_done(row) for row in await tx.fetch(ACTS, before, limit)]


async def acts_of(tx: Tx, start: datetime, end: datetime) -> list[Done]:
    """All acts of a time, the oldest first."""
    return [_done(row) for row in await tx.fetch(ACTS_OF, start, end)]


async def first_act_since(tx: Tx, since: datetime) -> datetime | None:
    found: datetime | None = await tx.fetchval(FIRST_ACT_SINCE, since)
    return found


async def last_day(tx: Tx) -> date | None:
    found: date | None = await tx.fetchval(LAST_DAY)
    return found


async def add_day(tx: Tx, one: Day) -> bool:
    """False where that day was closed already."""
    return await tx.fetchval(ADD_DAY, one.day, one.acts, one.sha256) is not None


async def days(tx: Tx, most: int) -> list[Day]:
    """The newest first."""
    return [Day(*row) for row in await tx.fetch(DAYS, most)]


async def tidy(tx: Tx, shifts_before: datetime, acts_before: datetime) -> None:
    await tx.execute(TIDY_SHIFTS, shifts_before)
    await tx.execute(TIDY_ACTS, acts_before)
    await tx.execute(TIDY_DAYS, acts_before.date())


async def counted(tx: Tx) -> list[tuple[str, int]]:
    """Names and numbers, as they are now; reads whole tables."""
    found = [(row["name"], row["value"]) for row in await tx.fetch(COUNTED)]
    sizes = [(f"tables.{row['name']}", row["size_bytes"]) for row in await tx.fetch(TABLES)]
    return found + sizes


async def keep_figures(tx: Tx, found: Sequence[tuple[str, int]], now: datetime) -> None:
    """In the place of those of before."""
    await tx.execute(EMPTY_FIGURES)
    await tx.executemany(ADD_FIGURE, [(name, value, now) for name, value in found])


async def figures(tx: Tx) -> list[Figure]:
    return [Figure(*row) for row in await tx.fetch(FIGURES)]


async def waiting(tx: Tx) -> dict[str, int]:
    """How many entries wait for each log."""
    return {row["log"]: row["entries"] for row in await tx.fetch(WAITING)}


async def terms(tx: Tx) -> list[Terms]:
    """All versions, the oldest first."""
    return [Terms(*row) for row in await tx.fetch(TERMS)]


async def guarding(tx: Tx) -> Guarding | None:
    row = await tx.fetchrow(GUARDING)
    return Guarding(*row) if row else None


async def erase(tx: Tx, person_id: UUID) -> int:
    """Drops a person's shifts; how many."""
    return len(await tx.fetch(DROP_SHIFTS, person_id))


def _done(row: Row) -> Done:
    return Done(*row)
