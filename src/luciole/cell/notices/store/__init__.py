"""The SQL of notices and orders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.notices.model import Notice, Outcome, Request, Subject
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

# What is withheld from who asks here. By a subquery, of whose length the planner knows nothing:
# else it plans each short list anew (3 ms), because it expects ten where it does not look.
AMONG = """
SELECT c.id, coalesce(
    (SELECT h.notice_id FROM notices.clips_here h WHERE h.clip_id = c.id
     ORDER BY h.notice_id LIMIT 1),
    (SELECT h.notice_id FROM notices.people_here h WHERE h.person_id = c.author_id
     ORDER BY h.notice_id LIMIT 1)
) AS notice_id
FROM unnest((SELECT $1::uuid[]), (SELECT $2::uuid[])) AS c (id, author_id)
"""
OF_PERSON = """
SELECT notice_id FROM notices.people_here WHERE person_id = $1 ORDER BY notice_id LIMIT 1
"""
OF_FILE = """
SELECT notice_id, author_id AS person_id FROM notices.files_here WHERE token = $1
ORDER BY notice_id LIMIT 1
"""
OF_AVATAR = """
SELECT notice_id, person_id FROM notices.avatars_here WHERE avatar_key = $1
ORDER BY notice_id LIMIT 1
"""
# Subjects
CLIP = "SELECT clip_id, author_id FROM notices.clip_of WHERE clip_id = $1"
PERSON = "SELECT person_id, handle FROM notices.person_of WHERE handle = $1"
# Notices
ADD = """
INSERT INTO notices.notice
    (id, what, countries, ground, ordered_by, law, reason, appeal, until, request_id, staff, state,
     is_named, made_at, begun_at, commitment)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
ADD_SUBJECT = """
INSERT INTO notices.subject (notice_id, person_id, clip_id, cell, said, nonce)
VALUES ($1, $2, $3, $4, $5, $6)
"""
NOTICE = """
SELECT n.id, n.what, n.countries, n.ground, n.ordered_by, n.law, n.reason, n.appeal, n.until,
       n.request_id, n.staff, n.state, n.is_named, n.made_at, n.begun_at, n.ended_at, n.ended_why,
       n.commitment, s.said, s.nonce
FROM notices.notice n LEFT JOIN notices.subject s ON s.notice_id = n.id
WHERE n.id = $1
"""
LOCK = "SELECT id FROM notices.notice WHERE id = $1 FOR UPDATE"
NOTICES = """
SELECT n.id, n.what, n.countries, n.ground, n.ordered_by, n.law, n.reason, n.appeal, n.until,
       n.request_id, n.staff, n.state, n.is_named, n.made_at, n.begun_at, n.ended_at, n.ended_why,
       n.commitment, s.said, s.nonce
FROM notices.notice n LEFT JOIN notices.subject s ON s.notice_id = n.id
WHERE n.id < $1 AND (n.state = 'waiting') = $2
ORDER BY n.id DESC LIMIT $3
"""
SIGN = "UPDATE notices.notice SET staff = staff || $2::uuid WHERE id = $1 AND NOT $2 = ANY (staff)"
BEGIN = "UPDATE notices.notice SET state = 'in-force', begun_at = $2 WHERE id = $1"
END = "UPDATE notices.notice SET state = 'ended', ended_at = $2, ended_why = $3 WHERE id = $1"
# What is over by itself: its day has come, or the person whom it was about is gone.
OVER = """
SELECT n.id, s.notice_id IS NULL AS is_gone
FROM notices.notice n LEFT JOIN notices.subject s ON s.notice_id = n.id
WHERE n.state = 'in-force' AND (n.until <= $1 OR s.notice_id IS NULL)
ORDER BY n.id LIMIT $2 FOR UPDATE OF n SKIP LOCKED
"""
UNTOLD = """
SELECT s.notice_id, s.person_id, s.clip_id, n.state
FROM notices.subject s JOIN notices.notice n ON n.id = s.notice_id
WHERE s.person_id IS NOT NULL AND n.begun_at IS NOT NULL
  AND s.told <> CASE n.state WHEN 'ended' THEN 'withheld-ended' ELSE 'withheld' END
ORDER BY n.id LIMIT $1 FOR UPDATE OF s SKIP LOCKED
"""
TOLD = "UPDATE notices.subject SET told = $2 WHERE notice_id = $1"
# Orders
ADD_REQUEST = """
INSERT INTO notices.request
    (id, authority, country, law, asks_for, persons, received_on, gag_until, nonce, made_at,
     is_told)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
REQUEST = """
SELECT id, authority, country, law, asks_for, persons, received_on, gag_until, nonce, made_at,
       is_told, outcome, settled_at, is_settled_told
FROM notices.request WHERE id = $1 FOR UPDATE
"""
REQUESTS = """
SELECT id, authority, country, law, asks_for, persons, received_on, gag_until, nonce, made_at,
       is_told, outcome, settled_at, is_settled_told
FROM notices.request WHERE id < $1 ORDER BY id DESC LIMIT $2
"""
UNGAGGED = """
SELECT id, authority, country, law, asks_for, persons, received_on, gag_until, nonce, made_at,
       is_told, outcome, settled_at, is_settled_told
FROM notices.request WHERE NOT is_told AND gag_until <= $1
ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
TELL_REQUEST = "UPDATE notices.request SET is_told = true WHERE id = $1"
SETTLE = "UPDATE notices.request SET outcome = $2, settled_at = $3 WHERE id = $1"
TELL_SETTLED = "UPDATE notices.request SET is_settled_told = true WHERE id = $1"
# A person's own
EXPORT = """
SELECT n.id, n.what, n.countries, n.ground, n.ordered_by, n.law, n.reason, n.appeal, n.until,
       n.state, n.begun_at, n.ended_at, n.ended_why, s.clip_id, s.said, s.nonce, s.told
FROM notices.subject s JOIN notices.notice n ON n.id = s.notice_id
WHERE s.person_id = $1 AND n.begun_at IS NOT NULL ORDER BY n.id
"""
ERASE = "DELETE FROM notices.subject WHERE person_id = $1"


class Blocked(NamedTuple):
    """A notice in force here, and whom it is about."""

    notice_id: UUID
    person_id: UUID


class Untold(NamedTuple):
    """A notice of whose newest state its person knows nothing yet."""

    notice_id: UUID
    person_id: UUID
    clip_id: UUID | None
    state: str


async def among(tx: Tx, clips: Sequence[tuple[UUID, UUID]]) -> dict[UUID, UUID]:
    """Those of the clips (with their authors) that are withheld here, each with a notice."""
    if not clips:
        return {}
    rows = await tx.fetch(AMONG, *(list(ids) for ids in zip(*clips, strict=True)))
    return {row["id"]: row["notice_id"] for row in rows if row["notice_id"] is not None}


async def of_person(tx: Tx, person_id: UUID) -> UUID | None:
    """The notice about a person, or about their cell, that holds here."""
    found: UUID | None = await tx.fetchval(OF_PERSON, person_id)
    return found


async def of_file(tx: Tx, token: str) -> Blocked | None:
    row = await tx.fetchrow(OF_FILE, token)
    return Blocked(*row) if row else None


async def of_avatar(tx: Tx, avatar_key: str) -> Blocked | None:
    row = await tx.fetchrow(OF_AVATAR, avatar_key)
    return Blocked(*row) if row else None


async def clip(tx: Tx, clip_id: UUID) -> Subject | None:
    row = await tx.fetchrow(CLIP, clip_id)
    return Subject("clip", f"clip/{clip_id}", row["author_id"], clip_id) if row else None


async def person(tx: Tx, handle: str) -> Subject | None:
    row = await tx.fetchrow(PERSON, handle)
    return Subject("person", f"person/{row['handle']}", row["person_id"]) if row else None


async def add(tx: Tx, notice: Notice, subject: Subject) -> None:
    await tx.execute(
        ADD,
        notice.id,
        notice.what,
        list(notice.countries),
        notice.ground,
        notice.ordered_by,
        notice.law,
        notice.reason,
        notice.appeal,
        notice.until,
        notice.request_id,
        list(notice.staff),
        notice.state,
        notice.is_named,
        notice.made_at,
        notice.begun_at,
        notice.commitment,
    )
    ids = (subject.person_id, subject.clip_id, subject.cell)
    await tx.execute(ADD_SUBJECT, notice.id, *ids, notice.said, notice.nonce)


async def notice(tx: Tx, notice_id: UUID) -> Notice | None:
    row = await tx.fetchrow(NOTICE, notice_id)
    return _notice(row) if row else None


async def lock(tx: Tx, notice_id: UUID) -> None:
    await tx.execute(LOCK, notice_id)


async def notices(tx: Tx, before: UUID, limit: int, *, waiting: bool = False) -> list[Notice]:
    """The newest first: those that hold or have ended, or those that wait for signatures."""
    return [_notice(row) for row in await tx.fetch(NOTICES, before, waiting, limit)]


async def sign(tx: Tx, notice_id: UUID, staff_id: UUID) -> None:
    await tx.execute(SIGN, notice_id, staff_id)


async def begin(tx: Tx, notice_id: UUID, now: datetime) -> None:
    await tx.execute(BEGIN, notice_id, now)


async def end(tx: Tx, notice_id: UUID, now: datetime, why: str) -> None:
    await tx.execute(END, notice_id, now, why)


async def over(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, bool]]:
    """Notices that end by themselves, and whether it is because nobody is left to withhold."""
    return [(row["id"], row["is_gone"]) for row in await tx.fetch(OVER, now, limit)]


async def untold(tx: Tx, limit: int) -> list[Untold]:
    return [Untold(*row) for row in await tx.fetch(UNTOLD, limit)]


async def told(tx: Tx, notice_id: UUID, what: str) -> None:
    await tx.execute(TOLD, notice_id, what)


async def add_request(tx: Tx, request: Request) -> None:
    await tx.execute(
        ADD_REQUEST,
        request.id,
        request.authority,
        request.country,
        request.law,
        request.asks_for,
        request.persons,
        request.received_on,
        request.gag_until,
        request.nonce,
        request.made_at,
        request.is_told,
    )


async def request(tx: Tx, request_id: UUID) -> Request | None:
    row = await tx.fetchrow(REQUEST, request_id)
    return Request(*row) if row else None


async def requests(tx: Tx, before: UUID, limit: int) -> list[Request]:
    return [Request(*row) for row in await tx.fetch(REQUESTS, before, limit)]


async def ungagged(tx: Tx, today: date, limit: int) -> list[Request]:
    return [Request(*row) for row in await tx.fetch(UNGAGGED, today, limit)]


async def tell_request(tx: Tx, request_id: UUID) -> None:
    await tx.execute(TELL_REQUEST, request_id)


async def settle(tx: Tx, request_id: UUID, outcome: Outcome, now: datetime) -> None:
    await tx.execute(SETTLE, request_id, outcome, now)


async def tell_settled(tx: Tx, request_id: UUID) -> None:
    await tx.execute(TELL_SETTLED, request_id)


def export(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT, person_id))


async def erase(tx: Tx, person_id: UUID) -> int:
    return int((await tx.execute(ERASE, person_id)).rpartition(" ")[2])


def _notice(row: Row) -> Notice:
    values = dict(row)
    values["countries"] = tuple(values["countries"])
    values["staff"] = tuple(values["staff"])
    return Notice(**values)
