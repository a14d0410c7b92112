"""The SQL of what rules against spam and rings look at: the newest, and not without end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from luciole.cell.safety.rings import Act, Said
from luciole.kit.db import Tx

LIKES = """
SELECT person_id, clip_id, made_at FROM clips.like_made
WHERE made_at > $1 ORDER BY made_at DESC LIMIT $2
"""
FOLLOWS = """
SELECT follower_id, followee_id, made_at FROM graph.follow_made
WHERE made_at > $1 ORDER BY made_at DESC LIMIT $2
"""
# Ids are in the order of time, so that no index more is needed.
COMMENTS = """
SELECT id, writer_id, text, made_at FROM clips.comment_said
WHERE id > $1 ORDER BY id DESC LIMIT $2
"""
OPENED = """
SELECT person_id, opened_on FROM people.opened
WHERE person_id = ANY ($1::uuid[]) AND opened_on >= $2
"""
FRIENDS = """
SELECT a, b FROM graph.friends
WHERE a = ANY ($1::uuid[]) AND b = ANY ($1::uuid[]) AND a < b
ORDER BY a, b LIMIT $2
"""


async def likes(tx: Tx, since: datetime, most: int) -> list[Act]:
    return [Act(*row) for row in await tx.fetch(LIKES, since, most)]


async def follows(tx: Tx, since: datetime, most: int) -> list[Act]:
    return [Act(*row) for row in await tx.fetch(FOLLOWS, since, most)]


async def comments(tx: Tx, after: UUID, most: int) -> list[Said]:
    return [Said(*row) for row in await tx.fetch(COMMENTS, after, most)]


async def opened(tx: Tx, persons: Sequence[UUID], since: date) -> dict[UUID, date]:
    """Since when those accounts are there that are new."""
    rows = await tx.fetch(OPENED, list(persons), since)
    return {row["person_id"]: row["opened_on"] for row in rows}


async def friends(tx: Tx, persons: Sequence[UUID], most: int) -> set[tuple[UUID, UUID]]:
    """Who of them follow each other, the smaller id first."""
    return {(row["a"], row["b"]) for row in await tx.fetch(FRIENDS, list(persons), most)}
