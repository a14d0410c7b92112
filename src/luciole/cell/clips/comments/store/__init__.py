"""The SQL of comments. What a viewer may see of them is said once, in `clips.comments_for`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from luciole.cell.clips.comments.model import (
    BestPlace,
    Comment,
    HeldFor,
    comment_of,
)
from luciole.cell.clips.model import Card
from luciole.kit.db import Tx
from luciole.kit.ids import LAST_ID

# With the numbers that it adds to, where it does not wait; the clip is locked before. Nothing comes
# back where its writer is leaving. Its writer and the author of the clip see it, as
# `clips.comments_for` has it: the author unless the writer is withheld where is asked from.
ADD = """
WITH counted AS (
    UPDATE clips.clip SET comments = comments + 1 WHERE id = $2 AND $8::text IS NULL
), answered AS (
    UPDATE clips.comment SET replies = replies + 1 WHERE id = $4 AND $8::text IS NULL
), added AS (
    INSERT INTO clips.comment
        (id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, score)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clips.comment_score(0, now()))
    RETURNING score, made_at
)
SELECT a.score, a.made_at, p.handle, p.display_name, p.avatar_key,
       NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = $3) AS is_shown_here
FROM added a JOIN people.card p ON p.id = $3
"""
ADD_TO_CLIP = "UPDATE clips.clip SET comments = comments + $2 WHERE id = $1"
ADD_REPLIES = "UPDATE clips.comment SET replies = replies + $2 WHERE id = $1"
COMMENT = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1) WHERE id = $2
"""
PINNED = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1) WHERE clip_id = $2 AND pinned_at IS NOT NULL
ORDER BY pinned_at DESC, id
"""
BEST = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1)
WHERE clip_id = $2 AND parent_id IS NULL AND pinned_at IS NULL AND (score, id) < ($3, $4)
ORDER BY score DESC, id DESC LIMIT $5
"""
# The first page: those that the author pinned, and the best, in one round trip.
FIRST_BEST = """
(SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
        pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
 FROM clips.comments_for($1) WHERE clip_id = $2 AND pinned_at IS NOT NULL
 ORDER BY pinned_at DESC, id)
UNION ALL
(SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
        pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
 FROM clips.comments_for($1)
 WHERE clip_id = $2 AND parent_id IS NULL AND pinned_at IS NULL
 ORDER BY score DESC, id DESC LIMIT $3)
"""
NEWEST = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1)
WHERE clip_id = $2 AND parent_id IS NULL AND pinned_at IS NULL AND id < $3
ORDER BY id DESC LIMIT $4
"""
# In the order in which they were said.
REPLIES = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1)
WHERE parent_id = $2 AND id > $3
ORDER BY id LIMIT $4
"""
# All that came to a clip after a comment that somebody has on the screen.
SINCE = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1)
WHERE clip_id = $2 AND id > $3
ORDER BY id LIMIT $4
"""
# Those that wait under any of a person's clips.
HELD = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1)
WHERE author_id = $1 AND held_for IS NOT NULL AND id < $2
ORDER BY id DESC LIMIT $3
"""
WRITTEN = """
SELECT id, clip_id, writer_id, parent_id, to_id, text, mentions, held_for, likes, replies, score,
       pinned_at, made_at, handle, display_name, avatar_key, author_id, audience
FROM clips.comments_for($1)
WHERE writer_id = $1 AND id < $2
ORDER BY id DESC LIMIT $3
"""
LOCK = "SELECT clip_id FROM clips.comment WHERE id = $1 FOR UPDATE"
APPROVE = "UPDATE clips.comment SET held_for = NULL WHERE id = $1 AND held_for IS NOT NULL"
DELETE = """
DELETE FROM clips.comment WHERE id = $1 RETURNING clip_id, parent_id, held_for, replies
"""
PINS = "SELECT id FROM clips.comment WHERE clip_id = $1 AND pinned_at IS NOT NULL ORDER BY id"
PIN = "UPDATE clips.comment SET pinned_at = now() WHERE id = $1 AND pinned_at IS NULL"
UNPIN = "UPDATE clips.comment SET pinned_at = NULL WHERE id = $1"
LIKE = """
INSERT INTO clips.comment_liked (comment_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
UNLIKE = "DELETE FROM clips.comment_liked WHERE comment_id = $1 AND person_id = $2"
ADD_LIKES = """
UPDATE clips.comment
SET likes = likes + $2, score = clips.comment_score(likes + $2, made_at)
WHERE id = $1 RETURNING likes
"""
# Who of these people likes which of the comments; then the clips that answer one of them, the
# oldest first, whoever may see them.
MARKED_AMONG = """
SELECT comment_id AS id, person_id FROM clips.comment_liked
WHERE comment_id = ANY((SELECT $1::uuid[])::uuid[]) AND person_id = ANY((SELECT $2::uuid[])::uuid[])
UNION ALL
(SELECT id, NULL FROM clips.clip
 WHERE answers_id = ANY((SELECT $1::uuid[])::uuid[]) AND state = 'published'
 ORDER BY id LIMIT 100)
"""


async def add(
    tx: Tx,
    comment_id: UUID,
    card: Card,
    writer_id: UUID,
    to: Comment | None,
    text: str,
    mentions: list[str],
    held_for: HeldFor | None,
) -> tuple[Comment, bool] | None:
    """The comment as its writer sees it, and whether the author of its clip sees it too, to whom it
    is not closed otherwise. None: its writer is leaving."""
    parent_id = (to.parent_id or to.id) if to else None
    to_id = to.id if to else None
    row = await tx.fetchrow(
        ADD, comment_id, card.id, writer_id, parent_id, to_id, text, mentions, held_for
    )
    if row is None:
        return None
    score, made_at, *writer, is_shown_here = row
    head = (comment_id, card.id, writer_id, parent_id, to_id, text, mentions, held_for)
    made = comment_of((*head, 0, 0, score, None, made_at, *writer, card.author_id, card.audience))
    return made, is_shown_here


async def count(tx: Tx, clip_id: UUID, parent_id: UUID | None, by: int) -> None:
    """Changes the numbers that a comment adds to. The clip is locked before."""
    await tx.execute(ADD_TO_CLIP, clip_id, by)
    if parent_id is not None:
        await tx.execute(ADD_REPLIES, parent_id, by)


async def comment(tx: Tx, viewer_id: UUID | None, comment_id: UUID) -> Comment | None:
    row = await tx.fetchrow(COMMENT, viewer_id, comment_id)
    return comment_of(row) if row else None


async def pinned(tx: Tx, viewer_id: UUID | None, clip_id: UUID) -> list[Comment]:
    return [comment_of(row) for row in await tx.fetch(PINNED, viewer_id, clip_id)]


async def best(
    tx: Tx, viewer_id: UUID | None, clip_id: UUID, place: BestPlace, limit: int
) -> list[Comment]:
    rows = await tx.fetch(BEST, viewer_id, clip_id, place.score, place.id, limit)
    return [comment_of(row) for row in rows]


async def first_best(
    tx: Tx, viewer_id: UUID | None, clip_id: UUID, limit: int
) -> tuple[list[Comment], list[Comment]]:
    """Those that the author pinned, and the first of the best."""
    found = [comment_of(row) for row in await tx.fetch(FIRST_BEST, viewer_id, clip_id, limit)]
    pinned = [one for one in found if one.pinned_at is not None]
    return pinned, found[len(pinned) :]


async def newest(
    tx: Tx, viewer_id: UUID | None, clip_id: UUID, before: UUID | None, limit: int
) -> list[Comment]:
    rows = await tx.fetch(NEWEST, viewer_id, clip_id, before or LAST_ID, limit)
    return [comment_of(row) for row in rows]


async def replies(
    tx: Tx, viewer_id: UUID | None, parent_id: UUID, after: UUID | None, limit: int
) -> list[Comment]:
    rows = await tx.fetch(REPLIES, viewer_id, parent_id, after or UUID(int=0), limit)
    return [comment_of(row) for row in rows]


async def since(
    tx: Tx, viewer_id: UUID | None, clip_id: UUID, after: UUID, limit: int
) -> list[Comment]:
    rows = await tx.fetch(SINCE, viewer_id, clip_id, after, limit)
    return [comment_of(row) for row in rows]


async def held(tx: Tx, author_id: UUID, before: UUID | None, limit: int) -> list[Comment]:
    rows = await tx.fetch(HELD, author_id, before or LAST_ID, limit)
    return [comment_of(row) for row in rows]


async def written(tx: Tx, writer_id: UUID, before: UUID | None, limit: int) -> list[Comment]:
    rows = await tx.fetch(WRITTEN, writer_id, before or LAST_ID, limit)
    return [comment_of(row) for row in rows]


async def lock(tx: Tx, comment_id: UUID) -> None:
    await tx.execute(LOCK, comment_id)


async def approve(tx: Tx, comment_id: UUID) -> bool:
    return (await tx.execute(APPROVE, comment_id)).endswith(" 1")


async def remove(tx: Tx, comment_id: UUID) -> None:
    """Deletes a comment, and the thread that it heads, with the numbers that they add to."""
    row = await tx.fetchrow(DELETE, comment_id)
    if row is None:
        return
    gone = row["replies"] + (row["held_for"] is None)
    await tx.execute(ADD_TO_CLIP, row["clip_id"], -gone)
    if row["parent_id"] is not None:
        await tx.execute(ADD_REPLIES, row["parent_id"], -gone)


async def pins(tx: Tx, clip_id: UUID) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(PINS, clip_id)]


async def pin(tx: Tx, comment_id: UUID) -> None:
    await tx.execute(PIN, comment_id)


async def unpin(tx: Tx, comment_id: UUID) -> None:
    await tx.execute(UNPIN, comment_id)


async def like(tx: Tx, comment_id: UUID, person_id: UUID) -> bool:
    return (await tx.execute(LIKE, comment_id, person_id)).endswith(" 1")


async def unlike(tx: Tx, comment_id: UUID, person_id: UUID) -> bool:
    return (await tx.execute(UNLIKE, comment_id, person_id)).endswith(" 1")


async def add_likes(tx: Tx, comment_id: UUID, by: int) -> int:
    return int(await tx.fetchval(ADD_LIKES, comment_id, by))


async def marked_among(
    tx: Tx, comments: list[UUID], people: Iterable[UUID]
) -> tuple[dict[UUID, frozenset[UUID]], list[UUID]]:
    """Which of these comments each of these people likes; and the clips that answer one of them,
    whoever may see them."""
    liked: dict[UUID, set[UUID]] = defaultdict(set)
    answers: list[UUID] = []
    for found, person in await tx.fetch(MARKED_AMONG, comments, list(people)):
        if person is None:
            answers.append(found)
        else:
            liked[person].add(found)
    return {person: frozenset(ids) for person, ids in liked.items()}, answers
