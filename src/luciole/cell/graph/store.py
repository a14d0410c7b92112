"""The SQL of graph."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from uuid import UUID

from luciole.cell.graph.model import Follows, Listed, ListPlace, Relation, Tally
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

FOLLOW = """
INSERT INTO graph.follow (follower_id, followee_id, state, made_at)
VALUES ($1, $2, $3, least(coalesce($4::timestamptz, now()), now()))
ON CONFLICT (follower_id, followee_id) DO NOTHING
"""
# Others of the same person wait until this transaction ends.
LOCK_FOLLOWER = "SELECT pg_advisory_xact_lock(hashtextextended('graph.follow/' || $1::text, 0))"
FOLLOWS_AT_LEAST = """
SELECT cardinality(ARRAY(SELECT 1 FROM graph.follow WHERE follower_id = $1 LIMIT $2)) >= $2
"""
UNFOLLOW = "DELETE FROM graph.follow WHERE follower_id = $1 AND followee_id = $2 RETURNING state"
DECLINE = """
DELETE FROM graph.follow WHERE follower_id = $1 AND followee_id = $2 AND state = 'pending'
"""
ACCEPT = """
UPDATE graph.follow SET state = 'accepted', made_at = now()
WHERE follower_id = $1 AND followee_id = $2 AND state = 'pending'
"""
PENDING = """
SELECT follower_id FROM graph.follow
WHERE followee_id = $1 AND state = 'pending' ORDER BY made_at LIMIT $2
"""
# The lower id first, so that two people who follow each other at once do not deadlock.
TALLY_ADD = """
INSERT INTO graph.tally (person_id, followers, following)
SELECT id, CASE WHEN id = $2 THEN greatest($3, 0) ELSE 0 END,
           CASE WHEN id = $1 THEN greatest($3, 0) ELSE 0 END
FROM unnest(ARRAY[$1, $2]::uuid[]) AS id ORDER BY id
ON CONFLICT (person_id) DO UPDATE SET
    followers = graph.tally.followers + CASE WHEN excluded.person_id = $2 THEN $3 ELSE 0 END,
    following = graph.tally.following + CASE WHEN excluded.person_id = $1 THEN $3 ELSE 0 END
"""
TALLY = "SELECT followers, following FROM graph.tally WHERE person_id = $1"
RELATION = """
SELECT
    (SELECT state FROM graph.follow WHERE follower_id = $1 AND followee_id = $2) AS mine,
    (SELECT state FROM graph.follow WHERE follower_id = $2 AND followee_id = $1) AS theirs
"""
FOLLOWED_AMONG = """
SELECT followee_id, state FROM graph.follow
WHERE follower_id = $1 AND followee_id = ANY($2::uuid[])
"""
FOLLOWERS = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, f.made_at, mine.state AS mine
FROM graph.follow f
JOIN people.card p ON p.id = f.follower_id
LEFT JOIN graph.follow mine ON mine.follower_id = $2 AND mine.followee_id = f.follower_id
WHERE f.followee_id = $1 AND f.state = 'accepted'
  AND (f.made_at, f.follower_id) < ($3, $4)
ORDER BY f.made_at DESC, f.follower_id DESC
LIMIT $5
"""
FOLLOWING = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, f.made_at, mine.state AS mine
FROM graph.follow f
JOIN people.card p ON p.id = f.followee_id
LEFT JOIN graph.follow mine ON mine.follower_id = $2 AND mine.followee_id = f.followee_id
WHERE f.follower_id = $1 AND f.state = 'accepted'
  AND (f.made_at, f.followee_id) < ($3, $4)
ORDER BY f.made_at DESC, f.followee_id DESC
LIMIT $5
"""
REQUESTS = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, f.made_at, mine.state AS mine
FROM graph.follow f
JOIN people.card p ON p.id = f.follower_id
LEFT JOIN graph.follow mine ON mine.follower_id = $1 AND mine.followee_id = f.follower_id
WHERE f.followee_id = $1 AND f.state = 'pending'
  AND (f.made_at, f.follower_id) < ($2, $3)
ORDER BY f.made_at DESC, f.follower_id DESC
LIMIT $4
"""
BLOCK = """
INSERT INTO graph.block (blocker_id, blocked_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
UNBLOCK = "DELETE FROM graph.block WHERE blocker_id = $1 AND blocked_id = $2"
MUTE = "INSERT INTO graph.mute (muter_id, muted_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
UNMUTE = "DELETE FROM graph.mute WHERE muter_id = $1 AND muted_id = $2"
RESTRICT = """
INSERT INTO graph.restriction (restricter_id, restricted_id) VALUES ($1, $2)
ON CONFLICT DO NOTHING
"""
UNRESTRICT = "DELETE FROM graph.restriction WHERE restricter_id = $1 AND restricted_id = $2"
APART_AMONG = """
SELECT blocked_id AS other FROM graph.block WHERE blocker_id = $1 AND blocked_id = ANY($2::uuid[])
UNION
SELECT blocker_id FROM graph.block WHERE blocked_id = $1 AND blocker_id = ANY($2::uuid[])
"""
# Erasure. Each step takes some of what is left.
ERASE_FOLLOWING = """
DELETE FROM graph.follow WHERE follower_id = $1 AND followee_id IN (
    SELECT followee_id FROM graph.follow WHERE follower_id = $1 LIMIT $2)
RETURNING followee_id AS other, state
"""
ERASE_FOLLOWERS = """
DELETE FROM graph.follow WHERE followee_id = $1 AND follower_id IN (
    SELECT follower_id FROM graph.follow WHERE followee_id = $1 LIMIT $2)
RETURNING follower_id AS other, state
"""
# In the order of the ids, as TALLY_ADD takes them.
LOCK_TALLIES = """
SELECT person_id FROM graph.tally WHERE person_id = ANY($1::uuid[]) ORDER BY person_id FOR UPDATE
"""
LESS_FOLLOWERS = """
UPDATE graph.tally SET followers = followers - 1 WHERE person_id = ANY($1::uuid[])
"""
LESS_FOLLOWING = """
UPDATE graph.tally SET following = following - 1 WHERE person_id = ANY($1::uuid[])
"""
ERASE_BLOCKS = """
DELETE FROM graph.block WHERE (blocker_id, blocked_id) IN (
    SELECT blocker_id, blocked_id FROM graph.block WHERE blocker_id = $1 OR blocked_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_MUTES = """
DELETE FROM graph.mute WHERE (muter_id, muted_id) IN (
    SELECT muter_id, muted_id FROM graph.mute WHERE muter_id = $1 OR muted_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_RESTRICTIONS = """
DELETE FROM graph.restriction WHERE (restricter_id, restricted_id) IN (
    SELECT restricter_id, restricted_id FROM graph.restriction
    WHERE restricter_id = $1 OR restricted_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
DROP_TALLY = "DELETE FROM graph.tally WHERE person_id = $1"

EXPORT_FOLLOWING = """
SELECT f.followee_id, p.handle, f.state, f.made_at
FROM graph.follow f LEFT JOIN people.card p ON p.id = f.followee_id
WHERE f.follower_id = $1 ORDER BY f.made_at, f.followee_id
"""
EXPORT_FOLLOWERS = """
SELECT f.follower_id, p.handle, f.state, f.made_at
FROM graph.follow f LEFT JOIN people.card p ON p.id = f.follower_id
WHERE f.followee_id = $1 ORDER BY f.made_at, f.follower_id
"""
EXPORT_BLOCKED = """
SELECT b.blocked_id, p.handle, b.made_at
FROM graph.block b LEFT JOIN people.card p ON p.id = b.blocked_id
WHERE b.blocker_id = $1 ORDER BY b.made_at, b.blocked_id
"""
EXPORT_MUTED = """
SELECT m.muted_id, p.handle, m.made_at
FROM graph.mute m LEFT JOIN people.card p ON p.id = m.muted_id
WHERE m.muter_id = $1 ORDER BY m.made_at, m.muted_id
"""
EXPORT_RESTRICTED = """
SELECT r.restricted_id, p.handle, r.made_at
FROM graph.restriction r LEFT JOIN people.card p ON p.id = r.restricted_id
WHERE r.restricter_id = $1 ORDER BY r.made_at, r.restricted_id
"""
EXPORT_TALLY = "SELECT followers, following FROM graph.tally WHERE person_id = $1"


async def follow(
    tx: Tx, follower_id: UUID, followee_id: UUID, state: str, made_at: datetime | None
) -> bool:
    """False when there is a row already. Without a time: now."""
    done = await tx.execute(FOLLOW, follower_id, followee_id, state, made_at)
    return done.endswith(" 1")


async def follows_at_least(tx: Tx, follower_id: UUID, many: int) -> bool:
    """Whether a person follows, or asks to follow, so many; stays so until this transaction ends,
    as far as other follows are concerned."""
    await tx.execute(LOCK_FOLLOWER, str(follower_id))
    return bool(await tx.fetchval(FOLLOWS_AT_LEAST, follower_id, many))


async def unfollow(tx: Tx, follower_id: UUID, followee_id: UUID) -> str | None:
    """The state that was taken away, or None."""
    taken: str | None = await tx.fetchval(UNFOLLOW, follower_id, followee_id)
    return taken


async def accept(tx: Tx, follower_id: UUID, followee_id: UUID) -> bool:
    return (await tx.execute(ACCEPT, follower_id, followee_id)).endswith(" 1")


async def decline(tx: Tx, follower_id: UUID, followee_id: UUID) -> bool:
    return (await tx.execute(DECLINE, follower_id, followee_id)).endswith(" 1")


async def pending(tx: Tx, followee_id: UUID, limit: int) -> list[UUID]:
    return [row["follower_id"] for row in await tx.fetch(PENDING, followee_id, limit)]


async def block(tx: Tx, me: UUID, other: UUID) -> bool:
    """False when it is so already."""
    return (await tx.execute(BLOCK, me, other)).endswith(" 1")


async def unblock(tx: Tx, me: UUID, other: UUID) -> None:
    await tx.execute(UNBLOCK, me, other)


async def mute(tx: Tx, me: UUID, other: UUID) -> None:
    await tx.execute(MUTE, me, other)


async def unmute(tx: Tx, me: UUID, other: UUID) -> None:
    await tx.execute(UNMUTE, me, other)


async def restrict(tx: Tx, me: UUID, other: UUID) -> None:
    await tx.execute(RESTRICT, me, other)


async def unrestrict(tx: Tx, me: UUID, other: UUID) -> None:
    await tx.execute(UNRESTRICT, me, other)


async def apart_among(tx: Tx, viewer_id: UUID, people: Iterable[UUID]) -> frozenset[UUID]:
    rows = await tx.fetch(APART_AMONG, viewer_id, list(people))
    return frozenset(row["other"] for row in rows)


async def tally_add(tx: Tx, follower_id: UUID, followee_id: UUID, by: int) -> None:
    await tx.execute(TALLY_ADD, follower_id, followee_id, by)


async def tally(tx: Tx, person_id: UUID) -> Tally:
    row = await tx.fetchrow(TALLY, person_id)
    return Tally(row["followers"], row["following"]) if row else Tally(0, 0)


async def relation(tx: Tx, viewer_id: UUID, person_id: UUID) -> Relation:
    row = await tx.fetchrow(RELATION, viewer_id, person_id)
    return (
        Relation(_follows(row["mine"]), row["theirs"] == "accepted")
        if row
        else Relation("no", False)
    )


async def followed_among(tx: Tx, viewer_id: UUID, people: list[UUID]) -> dict[UUID, Follows]:
    rows = await tx.fetch(FOLLOWED_AMONG, viewer_id, people)
    return {row["followee_id"]: _follows(row["state"]) for row in rows}


async def followers(
    tx: Tx, person_id: UUID, viewer_id: UUID | None, place: ListPlace | None, limit: int
) -> list[Listed]:
    return _listed(await tx.fetch(FOLLOWERS, person_id, viewer_id, *_split(place), limit))


async def following(
    tx: Tx, person_id: UUID, viewer_id: UUID | None, place: ListPlace | None, limit: int
) -> list[Listed]:
    return _listed(await tx.fetch(FOLLOWING, person_id, viewer_id, *_split(place), limit))


async def requests(tx: Tx, person_id: UUID, place: ListPlace | None, limit: int) -> list[Listed]:
    return _listed(await tx.fetch(REQUESTS, person_id, *_split(place), limit))


def export_following(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_FOLLOWING, person_id))


def export_followers(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_FOLLOWERS, person_id))


def export_blocked(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_BLOCKED, person_id))


def export_muted(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_MUTED, person_id))


def export_restricted(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_RESTRICTED, person_id))


def export_tally(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_TALLY, person_id))


async def erase_following(tx: Tx, person_id: UUID, most: int) -> int:
    """Ends some of the person's follows and requests, with the counts of the others; gives how
    many."""
    gone = await tx.fetch(ERASE_FOLLOWING, person_id, most)
    others = [row["other"] for row in gone if row["state"] == "accepted"]
    await tx.fetch(LOCK_TALLIES, others)
    await tx.execute(LESS_FOLLOWERS, others)
    return len(gone)


async def erase_followers(tx: Tx, person_id: UUID, most: int) -> int:
    """The same for follows and requests of others."""
    gone = await tx.fetch(ERASE_FOLLOWERS, person_id, most)
    others = [row["other"] for row in gone if row["state"] == "accepted"]
    await tx.fetch(LOCK_TALLIES, others)
    await tx.execute(LESS_FOLLOWING, others)
    return len(gone)


async def erase_apart(tx: Tx, person_id: UUID, most: int) -> int:
    """Removes some blocks, mutes and restrictions by the person or of them; gives how many."""
    gone = 0
    for statement in (
        await tx.execute(ERASE_BLOCKS, person_id, most),
        await tx.execute(ERASE_MUTES, person_id, most),
        await tx.execute(ERASE_RESTRICTIONS, person_id, most),
    ):
        gone += int(statement.rpartition(" ")[2])
    return gone


async def drop_tally(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_TALLY, person_id)


def _split(place: ListPlace | None) -> tuple[datetime, UUID]:
    # The top is a place too: a test for NULL in the query would keep the index from seeking.
    return (place.made_at, place.id) if place else (datetime.max.replace(tzinfo=UTC), LAST_ID)


def _follows(state: str | None) -> Follows:
    if state == "accepted":
        return "yes"
    return "pending" if state == "pending" else "no"


def _listed(rows: list[Row]) -> list[Listed]:
    return [
        Listed(
            row["id"],
            row["handle"],
            row["display_name"],
            row["avatar_key"],
            _follows(row["mine"]),
            row["made_at"],
        )
        for row in rows
    ]
