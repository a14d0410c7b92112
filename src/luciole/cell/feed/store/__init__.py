"""The SQL of feed. *Latest* has no parameter about the viewer, and no column either."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.clips.model import Card, card_of
from luciole.cell.feed.model import FeedPlace
from luciole.kit.db import Tx

LATEST = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id
FROM clips.card
WHERE state = 'published' AND audience = 'everyone' AND NOT is_private
  AND (published_at, id) < ($1, $2)
ORDER BY published_at DESC, id DESC
LIMIT $3
"""
# A few clips of each followed author, then the newest of those: the work grows with the number
# of followed people, not with the number of clips.
FOLLOWING = """
SELECT c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
       c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at, c.handle,
       c.display_name, c.avatar_key, c.is_private, c.duration_ms, c.width, c.height, c.progress,
       c.renditions, c.poster_key, c.has_audio, c.comments, c.reposts, c.favourites, c.comments_by,
       c.sound_id, c.answers_id
FROM (
    SELECT few.id, few.published_at
    FROM graph.accepted a
    LEFT JOIN graph.friends f ON f.a = $1 AND f.b = a.followee_id
    CROSS JOIN LATERAL (
        SELECT p.id, p.published_at FROM clips.published p
        WHERE p.author_id = a.followee_id AND (p.published_at, p.id) < ($2, $3)
          AND (p.audience = 'everyone' OR (p.audience = 'friends' AND f.b IS NOT NULL))
        ORDER BY p.published_at DESC, p.id DESC
        LIMIT $4
    ) few
    WHERE a.follower_id = $1
    ORDER BY few.published_at DESC, few.id DESC
    LIMIT $4
) page
JOIN clips.card c ON c.id = page.id
ORDER BY c.published_at DESC, c.id DESC
"""
FRIENDS = """
SELECT c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
       c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at, c.handle,
       c.display_name, c.avatar_key, c.is_private, c.duration_ms, c.width, c.height, c.progress,
       c.renditions, c.poster_key, c.has_audio, c.comments, c.reposts, c.favourites, c.comments_by,
       c.sound_id, c.answers_id
FROM (
    SELECT few.id, few.published_at
    FROM graph.friends f
    CROSS JOIN LATERAL (
        SELECT p.id, p.published_at FROM clips.published p
        WHERE p.author_id = f.b AND (p.published_at, p.id) < ($2, $3)
          AND p.audience IN ('everyone', 'friends')
        ORDER BY p.published_at DESC, p.id DESC
        LIMIT $4
    ) few
    WHERE f.a = $1
    ORDER BY few.published_at DESC, few.id DESC
    LIMIT $4
) page
JOIN clips.card c ON c.id = page.id
ORDER BY c.published_at DESC, c.id DESC
"""


async def latest(tx: Tx, place: FeedPlace, limit: int) -> list[Card]:
    return [card_of(row) for row in await tx.fetch(LATEST, *_split(place), limit)]


async def following(tx: Tx, viewer_id: UUID, place: FeedPlace, limit: int) -> list[Card]:
    rows = await tx.fetch(FOLLOWING, viewer_id, *_split(place), limit)
    return [card_of(row) for row in rows]


async def friends(tx: Tx, viewer_id: UUID, place: FeedPlace, limit: int) -> list[Card]:
    rows = await tx.fetch(FRIENDS, viewer_id, *_split(place), limit)
    return [card_of(row) for row in rows]


def _split(place: FeedPlace) -> tuple[datetime, UUID]:
    return place.published_at, place.id
