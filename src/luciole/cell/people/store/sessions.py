"""SQL of sessions."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from luciole.cell.people.model import Counted, Pace, Session, Viewer
from luciole.kit.db import Tx

# From here on the connection asks as an adult, where it is one: what is for adults only is left out
# for all others (`notices.here`). It begins as `kit.db.SAYS_WHO_ASKS` does, and has one row
# whatever is found, so that who asked before is forgotten.
LIVE = """/* says who asks */
SELECT s.id, s.person_id, s.last_seen_on, s.proved_at, p.handle, p.locale, p.age_band,
       ARRAY(SELECT r.act FROM people.restriction r
             WHERE r.person_id = p.id AND r.ended_at IS NULL
               AND (r.until IS NULL OR r.until > $2)) AS restricted,
       set_config('luciole.adult', CASE p.age_band WHEN '18+' THEN 'yes' ELSE '' END, false)
FROM (SELECT) AS asked
LEFT JOIN (people.session s JOIN people.person p ON p.id = s.person_id)
    ON s.token_hash = $1 AND s.expires_at > $2
"""
# The same, and what they do is counted. One row for each act of a person: from when on it counts,
# and how often since; from the beginning again where that was at $4 or before.
LIVE_COUNTED = """/* says who asks */
WITH live AS (
    SELECT s.id, s.person_id, s.last_seen_on, s.proved_at, p.handle, p.locale, p.age_band,
           ARRAY(SELECT r.act FROM people.restriction r
                 WHERE r.person_id = p.id AND r.ended_at IS NULL
                   AND (r.until IS NULL OR r.until > $2)) AS restricted
    FROM people.session s JOIN people.person p ON p.id = s.person_id
    WHERE s.token_hash = $1 AND s.expires_at > $2
), counted AS (
    INSERT INTO people.pace AS p (person_id, act, begun_at, done)
    SELECT person_id, $3, $2, 1 FROM live
    ON CONFLICT (person_id, act) DO UPDATE SET
        begun_at = CASE WHEN p.begun_at <= $4 THEN excluded.begun_at ELSE p.begun_at END,
        done = CASE WHEN p.begun_at <= $4 THEN 1 ELSE p.done + 1 END
    RETURNING act, begun_at, done
)
SELECT l.id, l.person_id, l.last_seen_on, l.proved_at, l.handle, l.locale, l.age_band,
       l.restricted, c.act, c.begun_at, c.done,
       set_config('luciole.adult', CASE l.age_band WHEN '18+' THEN 'yes' ELSE '' END, false)
FROM (SELECT) AS asked LEFT JOIN live l ON true LEFT JOIN counted c ON true
"""
TOUCH = "UPDATE people.session SET last_seen_on = $2, expires_at = $3 WHERE id = $1"
ADD = """
INSERT INTO people.session
    (id, person_id, token_hash, label, created_at, proved_at, last_seen_on, expires_at)
VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
"""
PROVE = "UPDATE people.session SET proved_at = $2 WHERE id = $1"
KEEP_NEWEST = """
DELETE FROM people.session WHERE person_id = $1 AND id NOT IN (
    SELECT id FROM people.session WHERE person_id = $1
    ORDER BY created_at DESC, id DESC LIMIT $2
)
"""
OF_PERSON = """
SELECT id, label, created_at, last_seen_on FROM people.session
WHERE person_id = $1 AND expires_at > $2
ORDER BY created_at DESC, id DESC
"""
END = "DELETE FROM people.session WHERE person_id = $1 AND id = $2"
END_OTHERS = "DELETE FROM people.session WHERE person_id = $1 AND id <> $2"
TIDY = "DELETE FROM people.session WHERE expires_at <= $1"


class Found(msgspec.Struct, frozen=True):
    """A live session, and when it was last seen; with how often its person did what was counted."""

    viewer: Viewer
    last_seen_on: date
    pace: Pace | None = None


async def by_token(
    tx: Tx, token_hash: bytes, now: datetime, counted: Counted | None = None
) -> Found | None:
    """The live session of a token; what its person does is counted once more."""
    if counted is None:
        row = await tx.fetchrow(LIVE, token_hash, now)
    else:
        row = await tx.fetchrow(LIVE_COUNTED, token_hash, now, *counted)
    if row is None or row["id"] is None:
        return None
    viewer = Viewer(
        row["person_id"],
        row["id"],
        row["handle"],
        row["locale"],
        row["age_band"],
        row["proved_at"],
        frozenset(row["restricted"]),
    )
    pace = Pace(row["act"], row["begun_at"], row["done"]) if counted else None
    return Found(viewer, row["last_seen_on"], pace)


async def touch(tx: Tx, session_id: UUID, today: date, expires_at: datetime) -> None:
    await tx.execute(TOUCH, session_id, today, expires_at)


async def prove(tx: Tx, session_id: UUID, now: datetime) -> None:
    await tx.execute(PROVE, session_id, now)


async def add(
    tx: Tx,
    session_id: UUID,
    person_id: UUID,
    token_hash: bytes,
    label: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    await tx.execute(ADD, session_id, person_id, token_hash, label, now, now.date(), expires_at)


async def keep_newest(tx: Tx, person_id: UUID, kept: int) -> None:
    await tx.execute(KEEP_NEWEST, person_id, kept)


async def of_person(tx: Tx, person_id: UUID, now: datetime) -> list[Session]:
    return [Session(**row) for row in await tx.fetch(OF_PERSON, person_id, now)]


async def end(tx: Tx, person_id: UUID, session_id: UUID) -> bool:
    """False when the person has no such session."""
    return (await tx.execute(END, person_id, session_id)).endswith(" 1")


async def end_others(tx: Tx, person_id: UUID, kept: UUID) -> None:
    await tx.execute(END_OTHERS, person_id, kept)


async def tidy(tx: Tx, now: datetime) -> None:
    await tx.execute(TIDY, now)
