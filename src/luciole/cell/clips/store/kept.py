"""SQL of what people keep and pass on: favourites, collections, reposts, shown likes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

from luciole.cell.clips.kept_model import Collection, Kept, KeptPlace
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

MARKED_AMONG = """
SELECT clip_id, 'liked' AS kind FROM clips.liked
WHERE person_id = $1 AND clip_id = ANY($2::uuid[])
UNION ALL
SELECT clip_id, 'favourite' FROM clips.favourite
WHERE person_id = $1 AND clip_id = ANY($2::uuid[])
UNION ALL
SELECT clip_id, 'repost' FROM clips.repost WHERE person_id = $1 AND clip_id = ANY($2::uuid[])
"""
ADD_FAVOURITE = """
INSERT INTO clips.favourite (person_id, clip_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
DROP_FAVOURITE = "DELETE FROM clips.favourite WHERE person_id = $1 AND clip_id = $2"
COUNT_FAVOURITES = """
UPDATE clips.clip SET favourites = favourites + $2 WHERE id = $1 RETURNING favourites
"""
FAVOURITES = """
SELECT clip_id, made_at FROM clips.favourite
WHERE person_id = $1 AND (made_at, clip_id) < ($2, $3)
ORDER BY made_at DESC, clip_id DESC LIMIT $4
"""
ADD_REPOST = """
INSERT INTO clips.repost (person_id, clip_id, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
DROP_REPOST = "DELETE FROM clips.repost WHERE person_id = $1 AND clip_id = $2"
COUNT_REPOSTS = "UPDATE clips.clip SET reposts = reposts + $2 WHERE id = $1 RETURNING reposts"
REPOSTS = """
SELECT clip_id, made_at FROM clips.repost
WHERE person_id = $1 AND (made_at, clip_id) < ($2, $3)
ORDER BY made_at DESC, clip_id DESC LIMIT $4
"""
LIKED = """
SELECT clip_id, made_at FROM clips.liked
WHERE person_id = $1 AND (made_at, clip_id) < ($2, $3)
ORDER BY made_at DESC, clip_id DESC LIMIT $4
"""
SHOWS_LIKES = "SELECT shows_likes FROM clips.preference WHERE person_id = $1"
SHOW_LIKES = """
INSERT INTO clips.preference (person_id, shows_likes) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET shows_likes = excluded.shows_likes
"""
# Others of the same person wait until this transaction ends.
LOCK_COLLECTIONS = """
SELECT pg_advisory_xact_lock(hashtextextended('clips.collection/' || $1::text, 0))
"""
ADD_COLLECTION = """
INSERT INTO clips.collection (id, owner_id, name, is_public) VALUES ($1, $2, $3, $4)
ON CONFLICT (owner_id, name) DO NOTHING
"""
CHANGE_COLLECTION = """
UPDATE clips.collection SET name = $2, is_public = $3
WHERE id = $1 AND NOT EXISTS (
    SELECT 1 FROM clips.collection o
    WHERE o.owner_id = clips.collection.owner_id AND o.name = $2 AND o.id <> $1)
"""
DROP_COLLECTION = "DELETE FROM clips.collection WHERE id = $1"
COLLECTION = "SELECT id, owner_id, name, is_public FROM clips.collection WHERE id = $1"
# A person has at most as many as one page shows. `has` is about one clip.
COLLECTIONS = """
SELECT c.id, c.owner_id, c.name, c.is_public,
       EXISTS (SELECT 1 FROM clips.collected d
               WHERE d.collection_id = c.id AND d.clip_id = $2) AS has,
       ARRAY(SELECT d.clip_id FROM clips.collected d WHERE d.collection_id = c.id
             ORDER BY d.made_at DESC, d.clip_id DESC LIMIT $3) AS newest
FROM clips.collection c
WHERE c.owner_id = $1 AND (c.is_public OR $4) ORDER BY c.name, c.id
"""
COLLECT = """
INSERT INTO clips.collected (collection_id, person_id, clip_id) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
"""
UNCOLLECT = "DELETE FROM clips.collected WHERE collection_id = $1 AND clip_id = $2"
COLLECTED = """
SELECT clip_id, made_at FROM clips.collected
WHERE collection_id = $1 AND (made_at, clip_id) < ($2, $3)
ORDER BY made_at DESC, clip_id DESC LIMIT $4
"""
# Erasure. Clips are locked in the order of their ids, and before what is counted on them.
KEPT_NEXT = "SELECT clip_id FROM clips.favourite WHERE person_id = $1 ORDER BY clip_id LIMIT $2"
REPOSTED_NEXT = "SELECT clip_id FROM clips.repost WHERE person_id = $1 ORDER BY clip_id LIMIT $2"
LOCK_CLIPS = "SELECT id FROM clips.clip WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
DROP_FAVOURITES = """
DELETE FROM clips.favourite WHERE person_id = $1 AND clip_id = ANY($2::uuid[]) RETURNING clip_id
"""
DROP_REPOSTS = """
DELETE FROM clips.repost WHERE person_id = $1 AND clip_id = ANY($2::uuid[]) RETURNING clip_id
"""
LESS_FAVOURITES = "UPDATE clips.clip SET favourites = favourites - 1 WHERE id = ANY($1::uuid[])"
LESS_REPOSTS = "UPDATE clips.clip SET reposts = reposts - 1 WHERE id = ANY($1::uuid[])"
DROP_COLLECTIONS = "DELETE FROM clips.collection WHERE owner_id = $1"

EXPORT_FAVOURITES = """
SELECT f.clip_id, c.handle AS author, f.made_at
FROM clips.favourite f LEFT JOIN clips.card c ON c.id = f.clip_id
WHERE f.person_id = $1 ORDER BY f.made_at, f.clip_id
"""
EXPORT_REPOSTS = """
SELECT r.clip_id, c.handle AS author, r.made_at
FROM clips.repost r LEFT JOIN clips.card c ON c.id = r.clip_id
WHERE r.person_id = $1 ORDER BY r.made_at, r.clip_id
"""
EXPORT_COLLECTIONS = """
SELECT id, name, is_public, made_at FROM clips.collection WHERE owner_id = $1 ORDER BY name, id
"""
EXPORT_COLLECTED = """
SELECT d.collection_id, d.clip_id, d.made_at
FROM clips.collection c JOIN clips.collected d ON d.collection_id = c.id
WHERE c.owner_id = $1 ORDER BY c.name, d.collection_id, d.made_at, d.clip_id
"""


async def marked_among(tx: Tx, person_id: UUID, clips: list[UUID]) -> dict[str, frozenset[UUID]]:
    """Which of the clips a person likes, keeps (`favourite`) and passed on (`repost`)."""
    found: dict[str, set[UUID]] = {"liked": set(), "favourite": set(), "repost": set()}
    for row in await tx.fetch(MARKED_AMONG, person_id, clips):
        found[row["kind"]].add(row["clip_id"])
    return {kind: frozenset(ids) for kind, ids in found.items()}


async def add_favourite(tx: Tx, person_id: UUID, clip_id: UUID) -> bool:
    return (await tx.execute(ADD_FAVOURITE, person_id, clip_id)).endswith(" 1")


async def drop_favourite(tx: Tx, person_id: UUID, clip_id: UUID) -> bool:
    return (await tx.execute(DROP_FAVOURITE, person_id, clip_id)).endswith(" 1")


async def count_favourites(tx: Tx, clip_id: UUID, by: int) -> int:
    return int(await tx.fetchval(COUNT_FAVOURITES, clip_id, by))


async def favourites(tx: Tx, person_id: UUID, place: KeptPlace | None, limit: int) -> list[Kept]:
    return _kept(await tx.fetch(FAVOURITES, person_id, *_split(place), limit))


async def add_repost(tx: Tx, person_id: UUID, clip_id: UUID, made_at: datetime) -> bool:
    return (await tx.execute(ADD_REPOST, person_id, clip_id, made_at)).endswith(" 1")


async def drop_repost(tx: Tx, person_id: UUID, clip_id: UUID) -> bool:
    return (await tx.execute(DROP_REPOST, person_id, clip_id)).endswith(" 1")


async def count_reposts(tx: Tx, clip_id: UUID, by: int) -> int:
    return int(await tx.fetchval(COUNT_REPOSTS, clip_id, by))


async def reposts(tx: Tx, person_id: UUID, place: KeptPlace | None, limit: int) -> list[Kept]:
    return _kept(await tx.fetch(REPOSTS, person_id, *_split(place), limit))


async def liked(tx: Tx, person_id: UUID, place: KeptPlace | None, limit: int) -> list[Kept]:
    return _kept(await tx.fetch(LIKED, person_id, *_split(place), limit))


async def shows_likes(tx: Tx, person_id: UUID) -> bool:
    return bool(await tx.fetchval(SHOWS_LIKES, person_id))


async def show_likes(tx: Tx, person_id: UUID, shows: bool) -> None:
    await tx.execute(SHOW_LIKES, person_id, shows)


async def add_collection(
    tx: Tx, collection_id: UUID, owner_id: UUID, name: str, is_public: bool
) -> bool:
    """False where the person has one of that name."""
    done = await tx.execute(ADD_COLLECTION, collection_id, owner_id, name, is_public)
    return done.endswith(" 1")


async def change_collection(tx: Tx, collection_id: UUID, name: str, is_public: bool) -> bool:
    """False where the person has another one of that name."""
    return (await tx.execute(CHANGE_COLLECTION, collection_id, name, is_public)).endswith(" 1")


async def drop_collection(tx: Tx, collection_id: UUID) -> None:
    await tx.execute(DROP_COLLECTION, collection_id)


async def lock_collections(tx: Tx, owner_id: UUID) -> None:
    await tx.execute(LOCK_COLLECTIONS, str(owner_id))


async def collection(tx: Tx, collection_id: UUID) -> Collection | None:
    row = await tx.fetchrow(COLLECTION, collection_id)
    return Collection(*row) if row else None


async def collections(
    tx: Tx, owner_id: UUID, clip_id: UUID | None, covers: int, is_own: bool
) -> list[Collection]:
    """A person's collections by name, each with its newest clips, and whether a clip is in it."""
    rows = await tx.fetch(COLLECTIONS, owner_id, clip_id, covers, is_own)
    return [Collection(*row) for row in rows]


async def collect(tx: Tx, collection_id: UUID, person_id: UUID, clip_id: UUID) -> None:
    await tx.execute(COLLECT, collection_id, person_id, clip_id)


async def uncollect(tx: Tx, collection_id: UUID, clip_id: UUID) -> None:
    await tx.execute(UNCOLLECT, collection_id, clip_id)


async def collected(tx: Tx, collection_id: UUID, place: KeptPlace | None, limit: int) -> list[Kept]:
    return _kept(await tx.fetch(COLLECTED, collection_id, *_split(place), limit))


async def erase_favourites(tx: Tx, person_id: UUID, most: int) -> int:
    """Takes back some of a person's favourites, with the numbers that others see."""
    clips = [row["clip_id"] for row in await tx.fetch(KEPT_NEXT, person_id, most)]
    await tx.fetch(LOCK_CLIPS, clips)
    taken = [row["clip_id"] for row in await tx.fetch(DROP_FAVOURITES, person_id, clips)]
    await tx.execute(LESS_FAVOURITES, taken)
    return len(taken)


async def erase_reposts(tx: Tx, person_id: UUID, most: int) -> int:
    """The same for reposts."""
    clips = [row["clip_id"] for row in await tx.fetch(REPOSTED_NEXT, person_id, most)]
    await tx.fetch(LOCK_CLIPS, clips)
    taken = [row["clip_id"] for row in await tx.fetch(DROP_REPOSTS, person_id, clips)]
    await tx.execute(LESS_REPOSTS, taken)
    return len(taken)


async def erase_collections(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_COLLECTIONS, person_id)


def export_favourites(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_FAVOURITES, person_id))


def export_reposts(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_REPOSTS, person_id))


def export_collections(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_COLLECTIONS, person_id))


def export_collected(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_COLLECTED, person_id))


def _split(place: KeptPlace | None) -> tuple[datetime, UUID]:
    return (place.made_at, place.id) if place else (datetime.max.replace(tzinfo=UTC), LAST_ID)


def _kept(rows: list[Row]) -> list[Kept]:
    return [Kept(row["clip_id"], row["made_at"]) for row in rows]
