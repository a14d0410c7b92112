"""The SQL of follows and of how people stand to each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from uuid import UUID

from luciole.cell.graph.model import Follows, Listed, ListPlace, Relation, Tally
from luciole.cell.graph.store.rows import follows_of, listed_of, split
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

FOLLOW = """
INSERT INTO graph.follow (follower_id, followee_id, state, made_at)
VALUES ($1, $2, $3, least(coalesce($4::timestamptz, now()), now()))
ON CONFLICT (follower_id, followee_id) DO NOTHING
"""
# Others of the same person wait until this transaction ends.
LOCK_FOLLOWER = "SELECT pg_advisory_xact_lock(hashtextextended('graph.follow/' || $1::text, 0))"
FOLLOWS_AT_LEAST = """
SELECT cardinality(ARRAY(SELECT 1 FROM graph.follow WHERE follower_id = $1 LIMIT $2)) >= $2 AS many,
       EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $1 AND x.b = $3) AS is_apart
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
# By a subquery, of whose length the planner knows nothing: else it plans each short list anew.
RELATIONS = """
SELECT
    p.id,
    (SELECT state FROM graph.follow WHERE follower_id = $1 AND followee_id = p.id) AS mine,
    (SELECT state FROM graph.follow WHERE follower_id = p.id AND followee_id = $1) AS theirs,
    EXISTS (SELECT 1 FROM graph.block WHERE blocker_id = $1 AND blocked_id = p.id) AS has_blocked,
    EXISTS (SELECT 1 FROM graph.block WHERE blocker_id = p.id AND blocked_id = $1) AS is_blocked,
    EXISTS (SELECT 1 FROM graph.mute WHERE muter_id = $1 AND muted_id = p.id) AS mutes,
    EXISTS (SELECT 1 FROM graph.restriction WHERE restricter_id = $1 AND restricted_id = p.id)
        AS restricts
FROM unnest((SELECT $2::uuid[])) AS p (id)
"""
FOLLOWED_AMONG = """
SELECT followee_id, state FROM graph.follow
WHERE follower_id = $1 AND followee_id = ANY($2::uuid[])
"""
# Nobody who is leaving: to others they are nobody's friend.
FRIENDS_AMONG = """
SELECT mine.followee_id AS friend
FROM graph.follow mine
JOIN graph.follow theirs
    ON theirs.follower_id = mine.followee_id AND theirs.followee_id = mine.follower_id
JOIN people.card p ON p.id = mine.followee_id
WHERE mine.follower_id = $1 AND mine.followee_id = ANY($2::uuid[])
  AND mine.state = 'accepted' AND theirs.state = 'accepted'
"""
FOLLOWERS = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, f.made_at, mine.state AS mine
FROM graph.follow f
JOIN people.card p ON p.id = f.follower_id
LEFT JOIN graph.follow mine ON mine.follower_id = $2 AND mine.followee_id = f.follower_id
WHERE f.followee_id = $1 AND f.state = 'accepted'
  AND (f.made_at, f.follower_id) < ($3, $4)
  AND NOT EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $2 AND x.b = f.follower_id)
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
  AND NOT EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $2 AND x.b = f.followee_id)
ORDER BY f.made_at DESC, f.followee_id DESC
LIMIT $5
"""
FRIENDS = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, f.made_at, f.state AS mine
FROM graph.follow f
JOIN graph.follow theirs
    ON theirs.follower_id = f.followee_id AND theirs.followee_id = f.follower_id
JOIN people.card p ON p.id = f.followee_id
WHERE f.follower_id = $1 AND f.state = 'accepted' AND theirs.state = 'accepted'
  AND (f.made_at, f.followee_id) < ($2, $3)
ORDER BY f.made_at DESC, f.followee_id DESC
LIMIT $4
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
SOME_FOLLOWERS = """
SELECT follower_id FROM graph.follow WHERE followee_id = $1 ORDER BY follower_id LIMIT 200
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
EXPORT_TALLY = "SELECT followers, following FROM graph.tally WHERE person_id = $1"


async def follow(
    tx: Tx, follower_id: UUID, followee_id: UUID, state: str, made_at: datetime | None
) -> bool:
    """False when there is a row already. Without a time: now."""
    done = await tx.execute(FOLLOW, follower_id, followee_id, state, made_at)
    return done.endswith(" 1")


async def follows_at_least(
    tx: Tx, follower_id: UUID, many: int, other_id: UUID
) -> tuple[bool, bool]:
    """Whether a person follows, or asks to follow, so many; and whether they and another are kept
    apart. Both stay so until this transaction ends, as far as other follows and blocks of the
    person are concerned."""
    await tx.execute(LOCK_FOLLOWER, str(follower_id))
    row = await tx.fetchrow(FOLLOWS_AT_LEAST, follower_id, many, other_id)
    assert row is not None
    return row["many"], row["is_apart"]


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


async def some_followers(tx: Tx, person_id: UUID) -> list[UUID]:
    return [row["follower_id"] for row in await tx.fetch(SOME_FOLLOWERS, person_id)]


async def tally_add(tx: Tx, follower_id: UUID, followee_id: UUID, by: int) -> None:
    await tx.execute(TALLY_ADD, follower_id, followee_id, by)


async def tally(tx: Tx, person_id: UUID) -> Tally:
    row = await tx.fetchrow(TALLY, person_id)
    return Tally(row["followers"], row["following"]) if row else Tally(0, 0)


async def relations(tx: Tx, viewer_id: UUID, people: Iterable[UUID]) -> dict[UUID, Relation]:
    """How the viewer stands to each of these people."""
    return {
        row["id"]: Relation(
            follows_of(row["mine"]),
            row["theirs"] == "accepted",
            row["has_blocked"],
            row["is_blocked"],
            row["mutes"],
            row["restricts"],
        )
        for row in await tx.fetch(RELATIONS, viewer_id, list(people))
    }


async def followed_among(tx: Tx, viewer_id: UUID, people: list[UUID]) -> dict[UUID, Follows]:
    rows = await tx.fetch(FOLLOWED_AMONG, viewer_id, people)
    return {row["followee_id"]: follows_of(row["state"]) for row in rows}


async def friends_among(tx: Tx, person_id: UUID, people: Iterable[UUID]) -> frozenset[UUID]:
    rows = await tx.fetch(FRIENDS_AMONG, person_id, list(people))
    return frozenset(row["friend"] for row in rows)


async def followers(
    tx: Tx, person_id: UUID, viewer_id: UUID | None, place: ListPlace | None, limit: int
) -> list[Listed]:
    return listed_of(await tx.fetch(FOLLOWERS, person_id, viewer_id, *split(place), limit))


async def following(
    tx: Tx, person_id: UUID, viewer_id: UUID | None, place: ListPlace | None, limit: int
) -> list[Listed]:
    return listed_of(await tx.fetch(FOLLOWING, person_id, viewer_id, *split(place), limit))


async def friends(tx: Tx, person_id: UUID, place: ListPlace | None, limit: int) -> list[Listed]:
    return listed_of(await tx.fetch(FRIENDS, person_id, *split(place), limit))


async def requests(tx: Tx, person_id: UUID, place: ListPlace | None, limit: int) -> list[Listed]:
    return listed_of(await tx.fetch(REQUESTS, person_id, *split(place), limit))


def export_following(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_FOLLOWING, person_id))


def export_followers(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_FOLLOWERS, person_id))


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


async def drop_tally(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_TALLY, person_id)
