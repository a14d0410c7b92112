"""SQL of what came from other cells, of whom this one reads, and of totals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.abroad.model import Total
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

TAKE_ARRIVALS = """
SELECT crossing, peer, kind, body, made_at FROM border.take_arrivals($1::text[], $2)
ORDER BY peer, place
"""
KEEP = """
INSERT INTO abroad.arrival (id, peer, kind, uri, body, came_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING
"""
# What a newer word about the same thing makes needless: so nothing comes back that was taken back.
DROP_OLDER = """
DELETE FROM abroad.arrival WHERE peer = $1 AND uri = $2 AND id < $3 AND kind = ANY($4::text[])
"""
DUE = """
SELECT id, peer, kind, body, came_at, tries FROM abroad.arrival
WHERE due_at <= $1 ORDER BY id LIMIT $2
"""
TAKE = "DELETE FROM abroad.arrival WHERE id = $1 RETURNING id"
TRY_LATER = "UPDATE abroad.arrival SET due_at = $2, tries = tries + 1 WHERE id = $1"
# What waited for what has come now.
HURRY = "UPDATE abroad.arrival SET due_at = $2 WHERE peer = $1 AND due_at > $2"

PERSON = "SELECT person_id FROM abroad.person WHERE uri = $1 AND peer = $2"
ADD_PERSON = "INSERT INTO abroad.person (person_id, peer, uri) VALUES ($1, $2, $3)"
AVATAR = "SELECT avatar_sha256 FROM abroad.person WHERE person_id = $1"
SET_AVATAR = "UPDATE abroad.person SET avatar_sha256 = $2 WHERE person_id = $1"
OF_PERSON = "SELECT peer, uri FROM abroad.person WHERE person_id = $1"
CLIPS_OF = "SELECT clip_id FROM abroad.clip WHERE person_id = $1 ORDER BY clip_id LIMIT $2"
CLIP = "SELECT clip_id, person_id FROM abroad.clip WHERE uri = $1 AND peer = $2"
CLIP_IS_OF = "SELECT peer, uri FROM abroad.clip WHERE clip_id = $1"
ADD_CLIP = "INSERT INTO abroad.clip (clip_id, person_id, peer, uri) VALUES ($1, $2, $3, $4)"
COMMENT = "SELECT comment_id, person_id FROM abroad.comment WHERE uri = $1 AND peer = $2"
COMMENT_IS_OF = "SELECT peer, uri FROM abroad.comment WHERE comment_id = $1"
ADD_COMMENT = """
INSERT INTO abroad.comment (comment_id, person_id, peer, uri) VALUES ($1, $2, $3, $4)
"""

IS_FOLLOWED = "SELECT EXISTS (SELECT 1 FROM graph.accepted WHERE followee_id = $1)"
READING = "SELECT end_at FROM abroad.reading WHERE person_id = $1 FOR UPDATE"
BEGIN_READING = "INSERT INTO abroad.reading (person_id, peer, began_on) VALUES ($1, $2, $3)"
SET_END = "UPDATE abroad.reading SET end_at = $2 WHERE person_id = $1"
ENDED = """
SELECT person_id, peer FROM abroad.reading WHERE end_at <= $1 ORDER BY end_at LIMIT $2
"""
END_READING = "DELETE FROM abroad.reading WHERE person_id = $1"
ADD_READER = """
INSERT INTO abroad.reader (person_id, peer, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
DROP_READER = "DELETE FROM abroad.reader WHERE person_id = $1 AND peer = $2"

SET_TOTAL = """
INSERT INTO abroad.total (subject_id, peer, person_id, likes, shares, followers, told_on)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (subject_id, peer) DO UPDATE SET likes = excluded.likes, shares = excluded.shares,
    followers = excluded.followers, told_on = excluded.told_on
"""
TOTALS = """
SELECT peer, subject_id, likes, shares, followers FROM abroad.total
WHERE subject_id = $1 ORDER BY peer
"""
# What servers of the Fediverse sent, counted at the border.
OF_FEDIVERSE = "SELECT likes, shares FROM border.fediverse_totals WHERE clip_id = $1"
# What people here think of clips of elsewhere, where it is enough to be told, or was told before.
COUNTED_CLIPS = """
SELECT a.clip_id AS subject_id, a.person_id, a.peer, a.uri, c.likes, c.reposts AS shares,
       t.likes AS told_likes, t.shares AS told_shares, t.told_on
FROM abroad.clip a JOIN clips.card c ON c.id = a.clip_id
LEFT JOIN abroad.told t ON t.subject_id = a.clip_id
WHERE (c.likes >= $1 OR c.reposts >= $1 OR t.subject_id IS NOT NULL) AND a.clip_id > $2
ORDER BY a.clip_id LIMIT $3
"""
COUNTED_PEOPLE = """
SELECT a.person_id AS subject_id, a.person_id, a.peer, a.uri, f.followers,
       t.followers AS told_followers, t.told_on
FROM abroad.person a JOIN graph.followed_by f ON f.person_id = a.person_id
LEFT JOIN abroad.told t ON t.subject_id = a.person_id
WHERE (f.followers >= $1 OR t.subject_id IS NOT NULL) AND a.person_id > $2
ORDER BY a.person_id LIMIT $3
"""
SET_TOLD = """
INSERT INTO abroad.told (subject_id, person_id, likes, shares, followers, told_on)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (subject_id) DO UPDATE SET likes = excluded.likes, shares = excluded.shares,
    followers = excluded.followers, told_on = excluded.told_on
"""

EXPORT_READERS = "SELECT peer, since FROM abroad.reader WHERE person_id = $1 ORDER BY peer"
EXPORT_TOTALS = """
SELECT subject_id, peer, likes, shares, followers, told_on FROM abroad.total
WHERE person_id = $1 ORDER BY subject_id, peer
"""
ERASE_READERS = "DELETE FROM abroad.reader WHERE person_id = $1"
ERASE_TOTALS = "DELETE FROM abroad.total WHERE person_id = $1"
ERASE_TOLD = "DELETE FROM abroad.told WHERE person_id = $1"
ERASE_READING = "DELETE FROM abroad.reading WHERE person_id = $1"
ERASE_CLIPS = "DELETE FROM abroad.clip WHERE person_id = $1"
ERASE_COMMENTS = "DELETE FROM abroad.comment WHERE person_id = $1"
ERASE_PERSON = "DELETE FROM abroad.person WHERE person_id = $1"


class Arrival(NamedTuple):
    """What came from another cell and is not in its place yet."""

    id: UUID
    peer: str
    kind: str
    body: bytes
    came_at: datetime
    tries: int


class Counted(NamedTuple):
    """What people here think of something of elsewhere, and what was told of it."""

    subject_id: UUID
    person_id: UUID
    peer: str
    uri: str
    counts: tuple[int, int, int]
    told: tuple[int | None, int | None, int | None]
    told_on: date | None


async def take_arrivals(tx: Tx, kinds: Sequence[str], most: int) -> list[Arrival]:
    """Takes what came over from the border, in the order in which it was sent."""
    return [
        Arrival(row["crossing"], row["peer"], row["kind"], row["body"], row["made_at"], 0)
        for row in await tx.fetch(TAKE_ARRIVALS, list(kinds), most)
    ]


async def keep(tx: Tx, arrival: Arrival, uri: str, now: datetime) -> None:
    """Until it is in its place. `uri`: what it is about."""
    await tx.execute(KEEP, arrival.id, arrival.peer, arrival.kind, uri, arrival.body, now)


async def drop_older(tx: Tx, peer: str, uri: str, than: UUID, kinds: Sequence[str]) -> None:
    await tx.execute(DROP_OLDER, peer, uri, than, list(kinds))


async def due(tx: Tx, now: datetime, most: int) -> list[Arrival]:
    return [Arrival(*row) for row in await tx.fetch(DUE, now, most)]


async def take(tx: Tx, arrival_id: UUID) -> bool:
    """False where another process has put it in its place."""
    return await tx.fetchval(TAKE, arrival_id) is not None


async def try_later(tx: Tx, arrival_id: UUID, at: datetime) -> None:
    await tx.execute(TRY_LATER, arrival_id, at)


async def hurry(tx: Tx, peer: str, now: datetime) -> None:
    await tx.execute(HURRY, peer, now)


async def person(tx: Tx, uri: str, peer: str) -> UUID | None:
    """Who here is the person at an address of another cell."""
    found: UUID | None = await tx.fetchval(PERSON, uri, peer)
    return found


async def add_person(tx: Tx, person_id: UUID, peer: str, uri: str) -> None:
    await tx.execute(ADD_PERSON, person_id, peer, uri)


async def avatar(tx: Tx, person_id: UUID) -> bytes | None:
    """The digest of the picture that a person of elsewhere has."""
    found: bytes | None = await tx.fetchval(AVATAR, person_id)
    return found


async def set_avatar(tx: Tx, person_id: UUID, sha256: bytes | None) -> None:
    await tx.execute(SET_AVATAR, person_id, sha256)


async def of_person(tx: Tx, person_id: UUID) -> tuple[str, str] | None:
    """The cell and the address of a person of elsewhere; None for one of ours."""
    row = await tx.fetchrow(OF_PERSON, person_id)
    return (row["peer"], row["uri"]) if row else None


async def clips_of(tx: Tx, person_id: UUID, most: int) -> list[UUID]:
    return [row["clip_id"] for row in await tx.fetch(CLIPS_OF, person_id, most)]


async def clip(tx: Tx, uri: str, peer: str) -> tuple[UUID, UUID] | None:
    """The clip here, and its author, of an address of another cell."""
    row = await tx.fetchrow(CLIP, uri, peer)
    return (row["clip_id"], row["person_id"]) if row else None


async def clip_is_of(tx: Tx, clip_id: UUID) -> tuple[str, str] | None:
    """The cell and the address of a clip of elsewhere; None for one of ours."""
    row = await tx.fetchrow(CLIP_IS_OF, clip_id)
    return (row["peer"], row["uri"]) if row else None


async def add_clip(tx: Tx, clip_id: UUID, person_id: UUID, peer: str, uri: str) -> None:
    await tx.execute(ADD_CLIP, clip_id, person_id, peer, uri)


async def comment(tx: Tx, uri: str, peer: str) -> tuple[UUID, UUID] | None:
    """The comment here, and its writer, of an address of another cell."""
    row = await tx.fetchrow(COMMENT, uri, peer)
    return (row["comment_id"], row["person_id"]) if row else None


async def comment_is_of(tx: Tx, comment_id: UUID) -> tuple[str, str] | None:
    row = await tx.fetchrow(COMMENT_IS_OF, comment_id)
    return (row["peer"], row["uri"]) if row else None


async def add_comment(tx: Tx, comment_id: UUID, person_id: UUID, peer: str, uri: str) -> None:
    await tx.execute(ADD_COMMENT, comment_id, person_id, peer, uri)


async def is_followed(tx: Tx, person_id: UUID) -> bool:
    """Whether anybody here follows a person."""
    return bool(await tx.fetchval(IS_FOLLOWED, person_id))


async def reading(tx: Tx, person_id: UUID) -> tuple[bool, datetime | None]:
    """Whether this cell reads a person of elsewhere, and when that ends."""
    row = await tx.fetchrow(READING, person_id)
    return (False, None) if row is None else (True, row["end_at"])


async def begin_reading(tx: Tx, person_id: UUID, peer: str, on: date) -> None:
    await tx.execute(BEGIN_READING, person_id, peer, on)


async def set_end(tx: Tx, person_id: UUID, at: datetime | None) -> None:
    await tx.execute(SET_END, person_id, at)


async def ended(tx: Tx, now: datetime, most: int) -> list[tuple[UUID, str]]:
    return [(row["person_id"], row["peer"]) for row in await tx.fetch(ENDED, now, most)]


async def end_reading(tx: Tx, person_id: UUID) -> None:
    await tx.execute(END_READING, person_id)


async def set_reader(tx: Tx, person_id: UUID, peer: str, since: date, *, reads: bool) -> None:
    """Whether another cell reads one of ours."""
    if reads:
        await tx.execute(ADD_READER, person_id, peer, since)
    else:
        await tx.execute(DROP_READER, person_id, peer)


async def set_total(
    tx: Tx,
    subject_id: UUID,
    peer: str,
    person_id: UUID,
    likes: int | None,
    shares: int | None,
    followers: int | None,
    on: date,
) -> None:
    await tx.execute(SET_TOTAL, subject_id, peer, person_id, likes, shares, followers, on)


async def totals(tx: Tx, subject_id: UUID) -> list[Total]:
    return [Total(**row) for row in await tx.fetch(TOTALS, subject_id)]


async def of_fediverse(tx: Tx, clip_id: UUID) -> tuple[int, int] | None:
    """Likes and shares of a clip by people of the Fediverse; None where there are none."""
    row = await tx.fetchrow(OF_FEDIVERSE, clip_id)
    return (row["likes"] or 0, row["shares"] or 0) if row else None


async def counted_clips(tx: Tx, fewest: int, after: UUID, most: int) -> list[Counted]:
    return [
        Counted(
            row["subject_id"],
            row["person_id"],
            row["peer"],
            row["uri"],
            (row["likes"], row["shares"], 0),
            (row["told_likes"], row["told_shares"], None),
            row["told_on"],
        )
        for row in await tx.fetch(COUNTED_CLIPS, fewest, after, most)
    ]


async def counted_people(tx: Tx, fewest: int, after: UUID, most: int) -> list[Counted]:
    return [
        Counted(
            row["subject_id"],
            row["person_id"],
            row["peer"],
            row["uri"],
            (0, 0, row["followers"]),
            (None, None, row["told_followers"]),
            row["told_on"],
        )
        for row in await tx.fetch(COUNTED_PEOPLE, fewest, after, most)
    ]


async def set_told(
    tx: Tx, subject_id: UUID, person_id: UUID, totals: Sequence[int | None], on: date
) -> None:
    await tx.execute(SET_TOLD, subject_id, person_id, *totals, on)


def export_readers(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_READERS, person_id))


def export_totals(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_TOTALS, person_id))


async def erase(tx: Tx, person_id: UUID) -> None:
    """Removes who reads a person of ours, and what of elsewhere a person of elsewhere is here."""
    await tx.execute(ERASE_READERS, person_id)
    await tx.execute(ERASE_TOTALS, person_id)
    await tx.execute(ERASE_TOLD, person_id)
    await tx.execute(ERASE_READING, person_id)
    await tx.execute(ERASE_COMMENTS, person_id)
    await tx.execute(ERASE_CLIPS, person_id)
    await tx.execute(ERASE_PERSON, person_id)
