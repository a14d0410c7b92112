"""SQL that finds people, hashtags and sounds by what their names are made of, the best known first.

As with clips: WALK_… looks along the order, FIND_… by the index where that was not enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from luciole.cell.search.model import FoundHashtag, FoundPerson, FoundSound, NamePlace
from luciole.kit.db import Tx

WALK_PEOPLE = """
SELECT id, followers_step FROM (
    SELECT id, followers_step, keys FROM search.person
    WHERE (followers_step, id) < ($2, $3)
    ORDER BY followers_step DESC, id DESC LIMIT $5
) few
WHERE keys @> $1::text[] ORDER BY followers_step DESC, id DESC LIMIT $4
"""
FIND_PEOPLE = """
WITH found AS MATERIALIZED (
    SELECT id, followers_step FROM search.person WHERE keys @> $1::text[]
)
SELECT id, followers_step FROM found
WHERE (followers_step, id) < ($2, $3) ORDER BY followers_step DESC, id DESC LIMIT $4
"""
NEAR_PEOPLE = """
WITH found AS MATERIALIZED (
    SELECT id, followers_step FROM search.person WHERE keys && $1::text[]
)
SELECT id FROM found ORDER BY followers_step DESC, id DESC LIMIT $2
"""
# Whom the viewer follows is whom they mean.
FOLLOWED_PEOPLE = """
SELECT p.id FROM graph.accepted a JOIN search.person p ON p.id = a.followee_id
WHERE a.follower_id = $1 AND p.keys @> $2::text[]
ORDER BY p.followers_step DESC, p.id DESC LIMIT $3
"""
BY_HANDLE = "SELECT id FROM people.card WHERE handle = $1"
PEOPLE = """
SELECT p.id, p.handle, p.display_name, p.avatar_key, coalesce(f.followers, 0) AS followers
FROM people.card p LEFT JOIN graph.followed_by f ON f.person_id = p.id
WHERE p.id = ANY($1::uuid[])
  AND NOT EXISTS (SELECT 1 FROM graph.apart a WHERE a.a = $2 AND a.b = p.id)
  AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = p.id)
"""
WALK_HASHTAGS = """
SELECT tag, clips FROM (
    SELECT tag, clips, keys FROM search.hashtag WHERE clips > 0 ORDER BY clips DESC, tag LIMIT $3
) few
WHERE keys @> $1::text[] ORDER BY clips DESC, tag LIMIT $2
"""
FIND_HASHTAGS = """
WITH found AS MATERIALIZED (
    SELECT tag, clips FROM search.hashtag WHERE keys @> $1::text[] AND clips > 0
)
SELECT tag, clips FROM found ORDER BY clips DESC, tag LIMIT $2
"""
NEAR_HASHTAGS = """
WITH found AS MATERIALIZED (
    SELECT tag, clips FROM search.hashtag WHERE keys && $1::text[] AND clips > 0
)
SELECT tag, clips FROM found ORDER BY clips DESC, tag LIMIT $2
"""
HASHTAG = "SELECT clips FROM search.hashtag WHERE tag = $1"
FIND_SOUNDS = """
WITH found AS MATERIALIZED (
    SELECT id, uses_step FROM search.sound WHERE keys @> $1::text[]
)
SELECT id FROM found ORDER BY uses_step DESC, id DESC LIMIT $2
"""
NEAR_SOUNDS = """
WITH found AS MATERIALIZED (
    SELECT id, uses_step FROM search.sound WHERE keys && $1::text[]
)
SELECT id FROM found ORDER BY uses_step DESC, id DESC LIMIT $2
"""
SOUNDS = """
SELECT s.id, s.name, s.handle, s.display_name, s.avatar_key, s.uses
FROM clips.sounds s
WHERE s.id = ANY($1::uuid[]) AND s.is_open
  AND NOT EXISTS (SELECT 1 FROM graph.apart a WHERE a.a = $2 AND a.b = s.owner_id)
  AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = s.clip_id)
  AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = s.owner_id)
"""


async def walk_people(
    tx: Tx, keys: Sequence[str], place: NamePlace, limit: int, steps: int
) -> list[NamePlace]:
    """The next people by a name among `steps` of them, the most followed first."""
    rows = await tx.fetch(WALK_PEOPLE, list(keys), place.step, place.id, limit, steps)
    return [NamePlace(row["followers_step"], row["id"]) for row in rows]


async def find_people(tx: Tx, keys: Sequence[str], place: NamePlace, limit: int) -> list[NamePlace]:
    """The next people by a name, the most followed first."""
    rows = await tx.fetch(FIND_PEOPLE, list(keys), place.step, place.id, limit)
    return [NamePlace(row["followers_step"], row["id"]) for row in rows]


async def near_people(tx: Tx, keys: Sequence[str], limit: int) -> list[UUID]:
    """People whose name has one of these keys."""
    return [row["id"] for row in await tx.fetch(NEAR_PEOPLE, list(keys), limit)]


async def followed_people(tx: Tx, viewer_id: UUID, keys: Sequence[str], limit: int) -> list[UUID]:
    """Whom the viewer follows, by a name."""
    return [row["id"] for row in await tx.fetch(FOLLOWED_PEOPLE, viewer_id, list(keys), limit)]


async def by_handle(tx: Tx, handle: str) -> UUID | None:
    found: UUID | None = await tx.fetchval(BY_HANDLE, handle)
    return found


async def people(tx: Tx, ids: Iterable[UUID], viewer_id: UUID | None) -> dict[UUID, FoundPerson]:
    """Those of the people whom the viewer may find."""
    rows = await tx.fetch(PEOPLE, list(ids), viewer_id)
    return {
        row["id"]: FoundPerson(
            row["id"],
            row["handle"],
            row["display_name"],
            row["avatar_key"],
            row["followers"],
            "no",
        )
        for row in rows
    }


async def hashtags(tx: Tx, keys: Sequence[str], limit: int, steps: int) -> list[FoundHashtag]:
    """Hashtags that have all of the keys, those of most clips first."""
    rows = await tx.fetch(WALK_HASHTAGS, list(keys), limit, steps)
    if len(rows) < limit:
        rows = await tx.fetch(FIND_HASHTAGS, list(keys), limit)
    return [FoundHashtag(row["tag"], row["clips"]) for row in rows]


async def near_hashtags(tx: Tx, keys: Sequence[str], limit: int) -> list[FoundHashtag]:
    """Hashtags that have one of the keys."""
    rows = await tx.fetch(NEAR_HASHTAGS, list(keys), limit)
    return [FoundHashtag(row["tag"], row["clips"]) for row in rows]


async def hashtag(tx: Tx, tag: str) -> int:
    """How many public clips have a hashtag."""
    return int(await tx.fetchval(HASHTAG, tag) or 0)


async def find_sounds(tx: Tx, keys: Sequence[str], limit: int) -> list[UUID]:
    """Sounds that have all of the keys, the most used first."""
    return [row["id"] for row in await tx.fetch(FIND_SOUNDS, list(keys), limit)]


async def near_sounds(tx: Tx, keys: Sequence[str], limit: int) -> list[UUID]:
    """Sounds that have one of the keys."""
    return [row["id"] for row in await tx.fetch(NEAR_SOUNDS, list(keys), limit)]


async def sounds(tx: Tx, ids: Iterable[UUID], viewer_id: UUID | None) -> dict[UUID, FoundSound]:
    """Those of the sounds that the viewer may find."""
    rows = await tx.fetch(SOUNDS, list(ids), viewer_id)
    return {
        row["id"]: FoundSound(
            row["id"],
            row["name"],
            row["handle"],
            row["display_name"],
            row["avatar_key"],
            row["uses"],
        )
        for row in rows
    }
