"""SQL of who keeps whom away: blocks, mutes, restrictions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from uuid import UUID

from luciole.cell.graph.model import Distance, Listed, ListPlace
from luciole.cell.graph.store.rows import listed_of, split
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

# Of both, the lower id first: what follows each other, or keeps each other away, waits here.
LOCK_BOTH = """
SELECT pg_advisory_xact_lock(hashtextextended('graph.follow/' || id::text, 0))
FROM unnest(ARRAY[least($1::uuid, $2::uuid), greatest($1::uuid, $2::uuid)]) AS id
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
KEEPERS = """
SELECT 'block' AS distance, blocker_id AS id FROM graph.block WHERE blocked_id = $1
UNION ALL SELECT 'mute', muter_id FROM graph.mute WHERE muted_id = $1
UNION ALL SELECT 'restriction', restricter_id FROM graph.restriction WHERE restricted_id = $1
"""
BLOCKS_AT_LEAST = """
SELECT cardinality(ARRAY(SELECT 1 FROM graph.block WHERE blocker_id = $1 LIMIT $2)) >= $2
"""
MUTES_AT_LEAST = """
SELECT cardinality(ARRAY(SELECT 1 FROM graph.mute WHERE muter_id = $1 LIMIT $2)) >= $2
"""
RESTRICTIONS_AT_LEAST = """
SELECT cardinality(ARRAY(SELECT 1 FROM graph.restriction WHERE restricter_id = $1 LIMIT $2)) >= $2
"""
BLOCKED = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, b.made_at, NULL::text AS mine
FROM graph.block b JOIN people.card p ON p.id = b.blocked_id
WHERE b.blocker_id = $1 AND (b.made_at, b.blocked_id) < ($2, $3)
ORDER BY b.made_at DESC, b.blocked_id DESC
LIMIT $4
"""
MUTED = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, m.made_at, f.state AS mine
FROM graph.mute m
JOIN people.card p ON p.id = m.muted_id
LEFT JOIN graph.follow f ON f.follower_id = $1 AND f.followee_id = m.muted_id
WHERE m.muter_id = $1 AND (m.made_at, m.muted_id) < ($2, $3)
ORDER BY m.made_at DESC, m.muted_id DESC
LIMIT $4
"""
RESTRICTED = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, r.made_at, f.state AS mine
FROM graph.restriction r
JOIN people.card p ON p.id = r.restricted_id
LEFT JOIN graph.follow f ON f.follower_id = $1 AND f.followee_id = r.restricted_id
WHERE r.restricter_id = $1 AND (r.made_at, r.restricted_id) < ($2, $3)
ORDER BY r.made_at DESC, r.restricted_id DESC
LIMIT $4
"""


async def keepers(tx: Tx, person_id: UUID) -> list[tuple[Distance, UUID]]:
    """Who keeps a person away, and how."""
    return [(row["distance"], row["id"]) for row in await tx.fetch(KEEPERS, person_id)]


async def lock_both(tx: Tx, one: UUID, other: UUID) -> None:
    """Makes others who change what is between these two wait for the end of this transaction."""
    await tx.fetch(LOCK_BOTH, one, other)


async def keep(tx: Tx, distance: Distance, me: UUID, other: UUID) -> None:
    """Blocks, mutes or restricts; twice is once."""
    match distance:
        case "block":
            await tx.execute(BLOCK, me, other)
        case "mute":
            await tx.execute(MUTE, me, other)
        case "restriction":
            await tx.execute(RESTRICT, me, other)


async def end(tx: Tx, distance: Distance, me: UUID, other: UUID) -> None:
    match distance:
        case "block":
            await tx.execute(UNBLOCK, me, other)
        case "mute":
            await tx.execute(UNMUTE, me, other)
        case "restriction":
            await tx.execute(UNRESTRICT, me, other)


async def keeps_at_least(tx: Tx, distance: Distance, me: UUID, many: int) -> bool:
    """Whether a person keeps so many away like this."""
    match distance:
        case "block":
            return bool(await tx.fetchval(BLOCKS_AT_LEAST, me, many))
        case "mute":
            return bool(await tx.fetchval(MUTES_AT_LEAST, me, many))
        case "restriction":
            return bool(await tx.fetchval(RESTRICTIONS_AT_LEAST, me, many))


async def kept(
    tx: Tx, distance: Distance, me: UUID, place: ListPlace | None, limit: int
) -> list[Listed]:
    """Whom a person keeps away, the newest first. Who is leaving is in no list."""
    match distance:
        case "block":
            return listed_of(await tx.fetch(BLOCKED, me, *split(place), limit))
        case "mute":
            return listed_of(await tx.fetch(MUTED, me, *split(place), limit))
        case "restriction":
            return listed_of(await tx.fetch(RESTRICTED, me, *split(place), limit))


async def apart_among(tx: Tx, viewer_id: UUID, people: Iterable[UUID]) -> frozenset[UUID]:
    rows = await tx.fetch(APART_AMONG, viewer_id, list(people))
    return frozenset(row["other"] for row in rows)


def export_blocked(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_BLOCKED, person_id))


def export_muted(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_MUTED, person_id))


def export_restricted(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_RESTRICTED, person_id))


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
