"""SQL of who is on the list of a clip, of circles, and of how far back others see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import cast
from uuid import UUID

from luciole.cell.clips.audience_model import Circle, ClipList, PastDays
from luciole.cell.clips.model import ListKind
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

SET_KIND = "UPDATE clips.clip SET audience_list = $2 WHERE id = $1"
DROP_MEMBERS = "DELETE FROM clips.audience_member WHERE clip_id = $1"
ADD_MEMBERS = """
INSERT INTO clips.audience_member (clip_id, person_id)
SELECT $1, p.id FROM people.card p WHERE p.id = ANY($2::uuid[]) AND p.home IS NULL
"""
MEMBERS = """
SELECT c.audience_list, m.person_id
FROM clips.clip c LEFT JOIN clips.audience_member m ON m.clip_id = c.id
WHERE c.id = $1 ORDER BY m.person_id
"""
OPEN_AMONG = """
SELECT id FROM clips.clip
WHERE id = ANY($2::uuid[]) AND audience_list IS NOT NULL
  AND clips.is_open_to($1, id, audience_list)
"""
LIKES_SEEN = """
SELECT c.id, cardinality(ARRAY(
    SELECT 1 FROM clips.liked l
    WHERE l.clip_id = c.id
      AND (l.person_id = $1
           OR EXISTS (SELECT 1 FROM graph.friends f WHERE f.a = $1 AND f.b = l.person_id))
)) AS likes
FROM unnest($2::uuid[]) AS c (id)
"""
# Others of the same owner wait until this transaction ends.
LOCK_OWNER = "SELECT pg_advisory_xact_lock(hashtextextended('clips.circle/' || $1::text, 0))"
CIRCLES = """
SELECT c.id, c.name, ARRAY(
    SELECT m.person_id FROM clips.circle_member m WHERE m.circle_id = c.id ORDER BY m.person_id
) AS people
FROM clips.circle c WHERE c.owner_id = $1 ORDER BY c.id
"""
CIRCLE = """
SELECT c.id, c.name, ARRAY(
    SELECT m.person_id FROM clips.circle_member m WHERE m.circle_id = c.id ORDER BY m.person_id
) AS people
FROM clips.circle c WHERE c.id = $1 AND c.owner_id = $2
"""
CIRCLES_AT_LEAST = """
SELECT cardinality(ARRAY(SELECT 1 FROM clips.circle WHERE owner_id = $1 LIMIT $2)) >= $2
"""
ADD_CIRCLE = "INSERT INTO clips.circle (id, owner_id, name) VALUES ($1, $2, $3)"
RENAME_CIRCLE = "UPDATE clips.circle SET name = $3 WHERE id = $1 AND owner_id = $2"
DROP_CIRCLE = "DELETE FROM clips.circle WHERE id = $1 AND owner_id = $2"
DROP_CIRCLE_MEMBERS = "DELETE FROM clips.circle_member WHERE circle_id = $1"
ADD_CIRCLE_MEMBERS = """
INSERT INTO clips.circle_member (circle_id, person_id)
SELECT $1, p.id FROM people.card p WHERE p.id = ANY($2::uuid[]) AND p.home IS NULL
"""
PAST_DAYS = "SELECT past_days FROM clips.preference WHERE person_id = $1"
SET_PAST_DAYS = """
INSERT INTO clips.preference (person_id, past_days) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET past_days = excluded.past_days
"""
# An author's clips whose files are not where they belong, with where they are. Locked, so that a
# change of the audience does not slip in between reading and renaming.
MISPLACED = """
SELECT c.id, c.asset_id, m.is_public
FROM clips.clip c
JOIN media.playable m ON m.asset_id = c.asset_id
LEFT JOIN clips.shown_since w ON w.person_id = c.author_id
WHERE c.author_id = $1 AND c.id > $2 AND c.audience = 'everyone'
  AND c.state <> 'removed' AND c.state <> 'refused'
  AND m.is_public <> (NOT $3 AND c.audience_list IS NULL
                      AND NOT coalesce(c.published_at < w.since, false))
ORDER BY c.id LIMIT $4 FOR UPDATE OF c
"""
# Authors of clips that became too old to be shown since the last looks; who changes how far back
# others see has all of theirs placed anew.
FALLEN_OUT = """
SELECT w.person_id FROM clips.shown_since w
WHERE EXISTS (
    SELECT 1 FROM clips.clip c JOIN media.playable m ON m.asset_id = c.asset_id
    WHERE c.author_id = w.person_id AND c.state = 'published' AND c.audience = 'everyone'
      AND c.published_at < w.since AND c.published_at > w.since - interval '3 days'
      AND m.is_public)
ORDER BY w.person_id LIMIT $1
"""
# Erasure. What names others goes with the person's clips and circles.
ERASE_LISTED = """
DELETE FROM clips.audience_member WHERE (clip_id, person_id) IN (
    SELECT clip_id, person_id FROM clips.audience_member WHERE person_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_IN_CIRCLES = """
DELETE FROM clips.circle_member WHERE (circle_id, person_id) IN (
    SELECT circle_id, person_id FROM clips.circle_member WHERE person_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_CIRCLES = "DELETE FROM clips.circle WHERE owner_id = $1"

EXPORT_MEMBERS = """
SELECT m.clip_id, c.audience_list AS kind, m.person_id, p.handle
FROM clips.audience_member m
JOIN clips.clip c ON c.id = m.clip_id
LEFT JOIN people.card p ON p.id = m.person_id
WHERE c.author_id = $1 ORDER BY m.clip_id, m.person_id
"""
EXPORT_CIRCLES = """
SELECT c.id, c.name, c.made_at, m.person_id, p.handle
FROM clips.circle c
LEFT JOIN clips.circle_member m ON m.circle_id = c.id
LEFT JOIN people.card p ON p.id = m.person_id
WHERE c.owner_id = $1 ORDER BY c.id, m.person_id
"""


async def set_list(tx: Tx, clip_id: UUID, wanted: ClipList | None) -> None:
    """Puts a list in the place of the one that was there."""
    await tx.execute(DROP_MEMBERS, clip_id)
    await tx.execute(SET_KIND, clip_id, wanted.kind if wanted else None)
    if wanted is not None:
        await tx.execute(ADD_MEMBERS, clip_id, list(wanted.people))


async def list_of(tx: Tx, clip_id: UUID) -> ClipList | None:
    rows = await tx.fetch(MEMBERS, clip_id)
    if not rows or rows[0]["audience_list"] is None:
        return None
    people = tuple(row["person_id"] for row in rows if row["person_id"] is not None)
    return ClipList(cast(ListKind, rows[0]["audience_list"]), people)


async def open_among(tx: Tx, viewer_id: UUID, clips: Iterable[UUID]) -> frozenset[UUID]:
    """Those of these clips with lists that let the viewer see them."""
    rows = await tx.fetch(OPEN_AMONG, viewer_id, list(clips))
    return frozenset(row["id"] for row in rows)


async def likes_seen(tx: Tx, viewer_id: UUID, clips: Sequence[UUID]) -> dict[UUID, int]:
    """How many likes of each clip for friends are the viewer's own or of friends of theirs."""
    rows = await tx.fetch(LIKES_SEEN, viewer_id, clips)
    return {row["id"]: row["likes"] for row in rows}


async def lock_owner(tx: Tx, owner_id: UUID) -> None:
    await tx.execute(LOCK_OWNER, str(owner_id))


async def circles(tx: Tx, owner_id: UUID) -> list[Circle]:
    return [_circle(row) for row in await tx.fetch(CIRCLES, owner_id)]


async def circle(tx: Tx, circle_id: UUID, owner_id: UUID) -> Circle | None:
    row = await tx.fetchrow(CIRCLE, circle_id, owner_id)
    return _circle(row) if row else None


async def circles_at_least(tx: Tx, owner_id: UUID, many: int) -> bool:
    return bool(await tx.fetchval(CIRCLES_AT_LEAST, owner_id, many))


async def add_circle(tx: Tx, owner_id: UUID, made: Circle) -> None:
    await tx.execute(ADD_CIRCLE, made.id, owner_id, made.name)
    await tx.execute(ADD_CIRCLE_MEMBERS, made.id, list(made.people))


async def change_circle(tx: Tx, owner_id: UUID, wanted: Circle) -> bool:
    """False where the owner has no such circle."""
    done = await tx.execute(RENAME_CIRCLE, wanted.id, owner_id, wanted.name)
    if not done.endswith(" 1"):
        return False
    await tx.execute(DROP_CIRCLE_MEMBERS, wanted.id)
    await tx.execute(ADD_CIRCLE_MEMBERS, wanted.id, list(wanted.people))
    return True


async def drop_circle(tx: Tx, circle_id: UUID, owner_id: UUID) -> bool:
    return (await tx.execute(DROP_CIRCLE, circle_id, owner_id)).endswith(" 1")


async def past_days(tx: Tx, person_id: UUID) -> PastDays:
    days: PastDays = await tx.fetchval(PAST_DAYS, person_id)
    return days


async def set_past_days(tx: Tx, person_id: UUID, days: PastDays) -> None:
    await tx.execute(SET_PAST_DAYS, person_id, days)


async def misplaced(
    tx: Tx, author_id: UUID, after: UUID, limit: int, *, is_private: bool
) -> list[tuple[UUID, UUID, bool]]:
    """Clip, asset, and whether everybody may fetch its files now though they should not."""
    rows = await tx.fetch(MISPLACED, author_id, after, is_private, limit)
    return [(row["id"], row["asset_id"], row["is_public"]) for row in rows]


async def fallen_out(tx: Tx, limit: int) -> list[UUID]:
    return [row["person_id"] for row in await tx.fetch(FALLEN_OUT, limit)]


async def erase_listed(tx: Tx, person_id: UUID, most: int) -> int:
    """Takes the person off some lists and circles of others; gives how many."""
    gone = [
        await tx.execute(ERASE_LISTED, person_id, most),
        await tx.execute(ERASE_IN_CIRCLES, person_id, most),
    ]
    return sum(int(done.rpartition(" ")[2]) for done in gone)


async def erase_circles(tx: Tx, owner_id: UUID) -> int:
    return int((await tx.execute(ERASE_CIRCLES, owner_id)).rpartition(" ")[2])


def export_members(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_MEMBERS, person_id))


def export_circles(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_CIRCLES, person_id))


def _circle(row: Row) -> Circle:
    return Circle(row["id"], row["name"], tuple(row["people"]))
