"""The SQL of taking comments away with their writer, and along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.clips.comments import store
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

LIKED_NEXT = "SELECT comment_id FROM clips.comment_liked WHERE person_id = $1 LIMIT $2"
LOCK_MANY = "SELECT id FROM clips.comment WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
UNLIKE_MANY = """
DELETE FROM clips.comment_liked WHERE person_id = $1 AND comment_id = ANY($2::uuid[])
RETURNING comment_id
"""
TAKE_LIKES = """
UPDATE clips.comment
SET likes = likes - 1, score = clips.comment_score(likes - 1, made_at)
WHERE id = ANY($1::uuid[])
"""
WRITTEN_NEXT = "SELECT id, clip_id FROM clips.comment WHERE writer_id = $1 LIMIT $2"
LOCK_CLIPS = "SELECT id FROM clips.clip WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"

EXPORT_WRITTEN = """
SELECT c.id, c.clip_id, k.handle AS author, c.parent_id, c.to_id, c.text, c.mentions, c.likes,
       c.replies, c.pinned_at, c.made_at
FROM clips.comment c LEFT JOIN clips.card k ON k.id = c.clip_id
WHERE c.writer_id = $1 ORDER BY c.id
"""
EXPORT_LIKED = """
SELECT comment_id, made_at FROM clips.comment_liked
WHERE person_id = $1 ORDER BY made_at, comment_id
"""


async def erase_likes(tx: Tx, person_id: UUID, most: int) -> int:
    """Takes back some of a person's likes of comments, with the numbers; gives how many."""
    comments = [row["comment_id"] for row in await tx.fetch(LIKED_NEXT, person_id, most)]
    await tx.fetch(LOCK_MANY, comments)
    taken = [row["comment_id"] for row in await tx.fetch(UNLIKE_MANY, person_id, comments)]
    await tx.execute(TAKE_LIKES, taken)
    return len(taken)


async def erase_written(tx: Tx, writer_id: UUID, most: int) -> int:
    """Deletes some of a person's comments and the threads under them; gives how many."""
    rows = await tx.fetch(WRITTEN_NEXT, writer_id, most)
    await tx.fetch(LOCK_CLIPS, [row["clip_id"] for row in rows])
    for row in rows:
        await store.remove(tx, row["id"])
    return len(rows)


def export_written(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_WRITTEN, person_id))


def export_liked(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_LIKED, person_id))
