"""The broker's SQL. All of it runs as luciole_custody; the two functions also for slices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from luciole.custody.model import Class, Drawn, Grant, GuardianState, StaffKey, StaffRead
from luciole.kit.db import Row, Tx

SESSION = """
SELECT s.id AS session_id, s.person_id, s.label, s.expires_at AS ends_at,
       p.id, p.class, p.purpose, p.columns, p.expires_at
FROM people.session_claim s LEFT JOIN custody.permit p ON p.session_id = s.id
WHERE s.token_hash = $1 AND s.expires_at > $2
"""
PERMIT_OF_SESSION = """
SELECT id, person_id, class, purpose, columns, expires_at FROM custody.permit
WHERE session_id = $1
"""
PERMIT_OF_DAY = """
SELECT id, person_id, class, purpose, columns, expires_at FROM custody.permit
WHERE person_id = $1 AND purpose = $2 AND day = $3
"""
# A session that was ended or has expired takes its grant along.
PERMIT = """
SELECT id, person_id, class, purpose, columns, expires_at FROM custody.permit p
WHERE id = $1 AND expires_at > $2 AND (session_id IS NULL OR EXISTS (
    SELECT 1 FROM people.session_claim s WHERE s.id = p.session_id AND s.expires_at > $2))
"""
# The permit and the number of its entry: none where the same permit has just been given.
ADD_PERMIT = """
WITH added AS (
    INSERT INTO custody.permit
        (id, person_id, class, purpose, columns, session_id, day, made_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT DO NOTHING RETURNING person_id
)
SELECT custody.take_number(person_id) FROM added
"""
TIDY_PERMITS = "DELETE FROM custody.permit WHERE expires_at <= $1"
TAKE_NUMBER = "SELECT custody.take_number($1)"
RECORD = "SELECT custody.record($1, $2, $3, $4)"
KNOWN = "SELECT person_id FROM custody.subject WHERE person_id = ANY($1::uuid[])"
OLD_WRAPS = "SELECT person_id, wrapped FROM people.first_wrap ORDER BY person_id LIMIT $1"
CELL = "SELECT cell_id, mark FROM custody.cell"
ADD_CELL = "INSERT INTO custody.cell (cell_id, mark) VALUES ($1, $2) ON CONFLICT DO NOTHING"
STAFF_OF_SESSION = """
SELECT t.id FROM custody.staff t JOIN people.session_claim s ON s.person_id = t.person_id
WHERE s.token_hash = $1 AND s.expires_at > $2 AND t.roles && $3::text[]
"""
ADD_STAFF = """
INSERT INTO custody.staff (id, person_id, added_at, roles)
SELECT $1, person_id, $3, $4 FROM people.passkey_claim
WHERE handle = $2 AND credential_id IS NOT NULL AND former_host IS NULL GROUP BY person_id
ON CONFLICT DO NOTHING RETURNING person_id
"""
ADD_STAFF_KEYS = """
INSERT INTO custody.staff_key (credential_id, staff_id, public_key, sign_count)
SELECT credential_id, $1, public_key, sign_count FROM people.passkey_claim
WHERE person_id = $2 AND former_host IS NULL
"""
DROP_STAFF = """
DELETE FROM custody.staff
WHERE person_id IN (SELECT person_id FROM people.passkey_claim WHERE handle = $1) RETURNING id
"""
STAFF = """
SELECT t.id, max(c.handle) AS handle, t.roles
FROM custody.staff t JOIN people.passkey_claim c ON c.person_id = t.person_id
GROUP BY t.id ORDER BY t.added_at, t.id
"""
STAFF_KEY = """
SELECT k.staff_id, k.public_key, k.sign_count, t.roles
FROM custody.staff_key k JOIN custody.staff t ON t.id = k.staff_id WHERE k.credential_id = $1
"""
COUNT_KEY = "UPDATE custody.staff_key SET sign_count = $2 WHERE credential_id = $1"
ADD_READ = """
INSERT INTO custody.staff_read (id, person_id, staff_id, asked, ends_at)
VALUES ($1, $2, $3, $4, $5)
"""
# Locked, so that two signatures at the same moment are counted one after the other.
READ = """
SELECT id, person_id, staff_id, asked, ends_at, is_granted FROM custody.staff_read
WHERE id = $1 AND ends_at > $2 FOR UPDATE
"""
READS = """
SELECT id, person_id, staff_id, asked, ends_at, is_granted FROM custody.staff_read
WHERE ends_at > $1 ORDER BY id DESC LIMIT 100
"""
APPROVE = """
INSERT INTO custody.staff_approval (read_id, staff_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
APPROVERS = "SELECT staff_id FROM custody.staff_approval WHERE read_id = $1 ORDER BY staff_id"
GRANT_READ = "UPDATE custody.staff_read SET is_granted = true, ends_at = $2 WHERE id = $1"
# Kept a while after their end, for who asks what staff have done.
TIDY_READS = "DELETE FROM custody.staff_read WHERE ends_at + interval '30 days' <= $1"
GUARDIAN = """
SELECT peer, cell_id, is_on, since, asked, held, given, refused, compared_at FROM custody.guardian
"""
# Another guardian begins at nothing; the same one goes on counting.
SAVE_GUARDIAN = """
INSERT INTO custody.guardian AS g (peer, cell_id, is_on, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (is_this) DO UPDATE SET peer = $1, is_on = $3, since = $4, cell_id = $2,
    asked = CASE WHEN g.cell_id = $2 THEN g.asked ELSE 0 END,
    held = CASE WHEN g.cell_id = $2 THEN g.held ELSE 0 END,
    given = CASE WHEN g.cell_id = $2 THEN g.given ELSE 0 END,
    refused = CASE WHEN g.cell_id = $2 THEN g.refused ELSE 0 END,
    compared_at = CASE WHEN g.cell_id = $2 THEN g.compared_at END
"""
COUNT_ASKED = "UPDATE custody.guardian SET asked = asked + 1"
COMPARED = """
UPDATE custody.guardian SET held = $1, given = $2, refused = $3, compared_at = $4
"""
GRANTING = """
SELECT n, leaf, ref FROM custody.granting WHERE person_id = $1 ORDER BY n DESC LIMIT 1
"""
PLACES = "SELECT ref, idx FROM ledger.placed WHERE ref = ANY ($1::bigint[])"
SHOWN = """
SELECT note FROM ledger.shown WHERE log = 'access' ORDER BY size DESC LIMIT $1
"""
ADD_ORPHAN = "INSERT INTO custody.orphan (handle) VALUES ($1) ON CONFLICT DO NOTHING"
ORPHANS = "SELECT handle FROM custody.orphan ORDER BY made_at, handle LIMIT $1"
DROP_ORPHANS = "DELETE FROM custody.orphan WHERE handle = ANY ($1::bytea[])"
DROP_OLD_WRAP = "SELECT people.drop_first_wrap($1)"


class Claim(msgspec.Struct, frozen=True):
    """A living session: whose it is, on what device, until when, and its grant, if it has one."""

    session_id: UUID
    person_id: UUID
    label: str
    expires_at: datetime
    grant: Grant | None


async def session(tx: Tx, token_hash: bytes, now: datetime) -> Claim | None:
    row = await tx.fetchrow(SESSION, token_hash, now)
    if row is None:
        return None
    grant = _grant(row) if row["id"] else None
    return Claim(row["session_id"], row["person_id"], row["label"], row["ends_at"], grant)


async def permit_of_session(tx: Tx, session_id: UUID) -> Grant | None:
    row = await tx.fetchrow(PERMIT_OF_SESSION, session_id)
    return _grant(row) if row else None


async def permit_of_day(tx: Tx, person_id: UUID, purpose: str, day: date) -> Grant | None:
    row = await tx.fetchrow(PERMIT_OF_DAY, person_id, purpose, day)
    return _grant(row) if row else None


async def permit(tx: Tx, grant_id: UUID, now: datetime) -> Grant | None:
    row = await tx.fetchrow(PERMIT, grant_id, now)
    return _grant(row) if row else None


async def add_permit(
    tx: Tx, grant: Grant, made_at: datetime, *, session_id: UUID | None, day: date | None
) -> int | None:
    """The number of the entry about it; None where another process has just given the same."""
    number: int | None = await tx.fetchval(
        ADD_PERMIT,
        grant.id,
        grant.person_id,
        grant.cls,
        grant.purpose,
        list(grant.columns),
        session_id,
        day,
        made_at,
        grant.expires_at,
    )
    return number


async def tidy(tx: Tx, now: datetime) -> None:
    await tx.execute(TIDY_PERMITS, now)
    await tx.execute(TIDY_READS, now)


async def take_number(tx: Tx, person_id: UUID) -> int:
    """The number of the next entry about a person; nobody else gets one until `tx` ends."""
    return int(await tx.fetchval(TAKE_NUMBER, person_id))


async def record(tx: Tx, person_id: UUID, drawn: Drawn) -> bool:
    """Notes an entry in the journal and hands it to the log. False where the log has that number
    already, because the database was put back since: its row stands for what is lost then."""
    ref = await tx.fetchval(RECORD, person_id, drawn.n, drawn.leaf, drawn.sealed)
    return ref is not None


async def record_next(
    tx: Tx, person_id: UUID, n: int, draw: Callable[[int], Awaitable[Drawn]]
) -> Drawn:
    """Records an entry under number `n`, or the next one that the log has not seen."""
    while not await record(tx, person_id, drawn := await draw(n)):
        n = await take_number(tx, person_id)
    return drawn


async def known(tx: Tx, person_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the persons about whom there are entries."""
    return {row["person_id"] for row in await tx.fetch(KNOWN, list(person_ids))}


async def old_wraps(tx: Tx, limit: int) -> list[tuple[UUID, bytes]]:
    """Wraps that an earlier version left in the database."""
    return [(row["person_id"], row["wrapped"]) for row in await tx.fetch(OLD_WRAPS, limit)]


async def drop_old_wrap(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_OLD_WRAP, person_id)


class Granting(msgspec.Struct, frozen=True):
    """An entry that gives the use of a key: its number, the entry itself, and how it is found."""

    n: int
    leaf: bytes
    ref: int


async def guardian(tx: Tx) -> GuardianState | None:
    """As it was stored last; None where there never was one."""
    row = await tx.fetchrow(GUARDIAN)
    return GuardianState(**row) if row else None


async def save_guardian(tx: Tx, peer: str, cell_id: UUID, is_on: bool, now: datetime) -> None:
    await tx.execute(SAVE_GUARDIAN, peer, cell_id, is_on, now)


async def compared(tx: Tx, held: int, given: int, refused: int, now: datetime) -> None:
    await tx.execute(COMPARED, held, given, refused, now)


async def granting(tx: Tx, person_id: UUID) -> Granting | None:
    """The newest one about a person."""
    row = await tx.fetchrow(GRANTING, person_id)
    return Granting(**row) if row else None


async def count_asked(tx: Tx) -> None:
    await tx.execute(COUNT_ASKED)


async def shown(tx: Tx, refs: Sequence[int], most: int) -> tuple[dict[int, int], list[str]]:
    """Where entries stand in the log `access`, of those that have a place; and the newest heads
    that were published, the newest first."""
    places = {row["ref"]: row["idx"] for row in await tx.fetch(PLACES, list(refs))}
    return places, [row["note"] for row in await tx.fetch(SHOWN, most)]


async def add_orphan(tx: Tx, handle: bytes) -> None:
    await tx.execute(ADD_ORPHAN, handle)


async def orphans(tx: Tx, limit: int) -> list[bytes]:
    return [row["handle"] for row in await tx.fetch(ORPHANS, limit)]


async def drop_orphans(tx: Tx, handles: Sequence[bytes]) -> None:
    await tx.execute(DROP_ORPHANS, list(handles))


async def cell(tx: Tx) -> tuple[UUID, bytes] | None:
    """The cell to whose keys this database belongs, and the mark of those keys."""
    row = await tx.fetchrow(CELL)
    return (row["cell_id"], row["mark"]) if row else None


async def add_cell(tx: Tx, cell_id: UUID, mark: bytes) -> None:
    await tx.execute(ADD_CELL, cell_id, mark)


async def staff_of_session(
    tx: Tx, token_hash: bytes, now: datetime, roles: Sequence[str]
) -> UUID | None:
    """Who of the staff, in one of these roles, has the session."""
    found: UUID | None = await tx.fetchval(STAFF_OF_SESSION, token_hash, now, list(roles))
    return found


async def add_staff(
    tx: Tx, staff_id: UUID, handle: str, now: datetime, roles: Sequence[str]
) -> bool:
    """With the passkeys that they have now. False where there is nobody with a passkey under that
    handle, or they are staff already."""
    person_id = await tx.fetchval(ADD_STAFF, staff_id, handle, now, list(roles))
    if person_id is not None:
        await tx.execute(ADD_STAFF_KEYS, staff_id, person_id)
    return person_id is not None


async def drop_staff(tx: Tx, handle: str) -> UUID | None:
    """The former staff's id; None where nobody of that handle was staff."""
    found: UUID | None = await tx.fetchval(DROP_STAFF, handle)
    return found


async def staff(tx: Tx) -> list[tuple[UUID, str, list[str]]]:
    """Ids, handles and roles."""
    return [(row["id"], row["handle"], row["roles"]) for row in await tx.fetch(STAFF)]


async def staff_key(tx: Tx, credential_id: bytes) -> StaffKey | None:
    row = await tx.fetchrow(STAFF_KEY, credential_id)
    return StaffKey(**row) if row else None


async def count_key(tx: Tx, credential_id: bytes, sign_count: int) -> None:
    await tx.execute(COUNT_KEY, credential_id, sign_count)


async def add_read(tx: Tx, read: StaffRead) -> None:
    await tx.execute(ADD_READ, read.id, read.person_id, read.staff_id, read.asked, read.ends_at)


async def read(tx: Tx, read_id: UUID, now: datetime) -> StaffRead | None:
    """One that has not ended; nobody else gets it until `tx` ends."""
    row = await tx.fetchrow(READ, read_id, now)
    return await _counted(tx, row) if row else None


async def reads(tx: Tx, now: datetime) -> list[StaffRead]:
    return [await _counted(tx, row) for row in await tx.fetch(READS, now)]


async def approve(tx: Tx, read_id: UUID, staff_id: UUID) -> list[UUID]:
    """Who has signed by now. The same one twice is one."""
    await tx.execute(APPROVE, read_id, staff_id)
    return [row["staff_id"] for row in await tx.fetch(APPROVERS, read_id)]


async def grant_read(tx: Tx, read_id: UUID, until: datetime) -> None:
    await tx.execute(GRANT_READ, read_id, until)


async def _counted(tx: Tx, row: Row) -> StaffRead:
    return StaffRead(**row, signatures=len(await tx.fetch(APPROVERS, row["id"])))


def _grant(row: Row) -> Grant:
    kind: Class = row["class"]
    return Grant(
        row["id"],
        row["person_id"],
        kind,
        row["purpose"],
        tuple(row["columns"]),
        row["expires_at"],
    )
