"""The SQL of feed. *Latest* has no parameter about the viewer, and no column either; `shown_to`
leaves out of it what one viewer may not or does not want to see."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.cell.clips.model import Card, card_of
from luciole.cell.feed.model import FeedPlace, Passed
from luciole.kit.db import Tx

LATEST = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id, audience_list, is_past
FROM clips.card
WHERE state = 'published' AND audience = 'everyone' AND NOT is_private AND NOT is_past
  AND (published_at, id) < ($1, $2)
  AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = card.id)
  AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = card.author_id)
ORDER BY published_at DESC, id DESC
LIMIT $3
"""
# A few clips of each followed author and a few that each passed on, then the newest of those: the
# work grows with the number of followed people, not with the number of clips. What was passed on by
# several comes once, where the last of them did it; clips of followed authors come from these.
FOLLOWING = """
SELECT page.at, page.id AS place_id, page.reposter_id,
       c.id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = c.id)
       AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = c.author_id)
       AND (page.reposter_id IS NULL OR (
           c.state = 'published' AND c.audience = 'everyone' AND NOT c.is_private
           AND NOT c.is_past AND clips.is_open_to($1, c.id, c.audience_list)
           AND c.author_id <> $1
           AND NOT EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $1 AND x.b = c.author_id)
           AND NOT EXISTS (SELECT 1 FROM graph.muted m
                           WHERE m.person_id = $1 AND m.other_id = c.author_id)
           AND NOT EXISTS (SELECT 1 FROM graph.accepted a
                           WHERE a.follower_id = $1 AND a.followee_id = c.author_id)
           AND NOT EXISTS (SELECT 1 FROM clips.reposted r
                           JOIN graph.accepted a ON a.followee_id = r.person_id
                           WHERE a.follower_id = $1 AND r.clip_id = page.id
                             AND (r.made_at, r.person_id) > (page.at, page.reposter_id))
       )) AS is_shown,
       c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
       c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at, c.handle,
       c.display_name, c.avatar_key, c.is_private, c.duration_ms, c.width, c.height, c.progress,
       c.renditions, c.poster_key, c.has_audio, c.comments, c.reposts, c.favourites, c.comments_by,
       c.sound_id, c.answers_id, c.audience_list, c.is_past
FROM (
    (
        SELECT few.id, few.published_at AS at, NULL::uuid AS reposter_id
        FROM graph.accepted a
        LEFT JOIN graph.friends f ON f.a = $1 AND f.b = a.followee_id
        LEFT JOIN clips.shown_since w ON w.person_id = a.followee_id
        CROSS JOIN LATERAL (
            SELECT p.id, p.published_at FROM clips.published p
            WHERE p.author_id = a.followee_id AND (p.published_at, p.id) < ($2, $3)
              AND p.published_at >= coalesce(w.since, '-infinity')
              AND (p.audience = 'everyone' OR (p.audience = 'friends' AND f.b IS NOT NULL))
              AND (p.audience_list IS NULL OR clips.is_open_to($1, p.id, p.audience_list))
            ORDER BY p.published_at DESC, p.id DESC
            LIMIT $4
        ) few
        WHERE a.follower_id = $1 AND NOT EXISTS (
            SELECT 1 FROM graph.muted m WHERE m.person_id = $1 AND m.other_id = a.followee_id)
        ORDER BY few.published_at DESC, few.id DESC
        LIMIT $4
    )
    UNION ALL
    (
        SELECT few.clip_id, few.made_at, a.followee_id
        FROM graph.accepted a
        CROSS JOIN LATERAL (
            SELECT r.clip_id, r.made_at FROM clips.reposted r
            WHERE r.person_id = a.followee_id AND (r.made_at, r.clip_id) < ($2, $3)
            ORDER BY r.made_at DESC, r.clip_id DESC
            LIMIT $4
        ) few
        WHERE a.follower_id = $1 AND NOT EXISTS (
            SELECT 1 FROM graph.muted m WHERE m.person_id = $1 AND m.other_id = a.followee_id)
        ORDER BY few.made_at DESC, few.clip_id DESC
        LIMIT $4
    )
    ORDER BY at DESC, id DESC
    LIMIT $4
) page
LEFT JOIN clips.card c ON c.id = page.id
WHERE (page.at, page.id) < ($2, $3)
ORDER BY page.at DESC, page.id DESC
"""
FRIENDS = """
SELECT c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
       c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at, c.handle,
       c.display_name, c.avatar_key, c.is_private, c.duration_ms, c.width, c.height, c.progress,
       c.renditions, c.poster_key, c.has_audio, c.comments, c.reposts, c.favourites, c.comments_by,
       c.sound_id, c.answers_id, c.audience_list, c.is_past
FROM (
    SELECT few.id, few.published_at
    FROM graph.friends f
    LEFT JOIN clips.shown_since w ON w.person_id = f.b
    CROSS JOIN LATERAL (
        SELECT p.id, p.published_at FROM clips.published p
        WHERE p.author_id = f.b AND (p.published_at, p.id) < ($2, $3)
          AND p.published_at >= coalesce(w.since, '-infinity')
          AND p.audience IN ('everyone', 'friends')
          AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = p.id)
          AND (p.audience_list IS NULL OR clips.is_open_to($1, p.id, p.audience_list))
        ORDER BY p.published_at DESC, p.id DESC
        LIMIT $4
    ) few
    WHERE f.a = $1
      AND NOT EXISTS (
          SELECT 1 FROM graph.muted m WHERE m.person_id = $1 AND m.other_id = f.b)
      AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = f.b)
    ORDER BY few.published_at DESC, few.id DESC
    LIMIT $4
) page
JOIN clips.card c ON c.id = page.id
ORDER BY c.published_at DESC, c.id DESC
"""
SHOWN_TO = """
SELECT c.id
FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS c (id, author_id, audience_list)
WHERE (c.audience_list IS NULL OR clips.is_open_to($1, c.id, c.audience_list))
  AND NOT EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $1 AND x.b = c.author_id)
  AND NOT EXISTS (SELECT 1 FROM graph.muted m WHERE m.person_id = $1 AND m.other_id = c.author_id)
"""
# Where the columns of the card begin in FOLLOWING.
_CARD_AT = 4


async def latest(tx: Tx, place: FeedPlace, limit: int) -> list[Card]:
    return [card_of(row) for row in await tx.fetch(LATEST, *_split(place), limit)]


async def shown_to(tx: Tx, viewer_id: UUID | None, cards: list[Card]) -> list[Card]:
    """Those of a list that is the same for everybody that this viewer may and wants to see."""
    rows = await tx.fetch(
        SHOWN_TO,
        viewer_id,
        [card.id for card in cards],
        [card.author_id for card in cards],
        [card.audience_list for card in cards],
    )
    shown = {row["id"] for row in rows}
    return [card for card in cards if card.id in shown]


async def following(tx: Tx, viewer_id: UUID, place: FeedPlace, limit: int) -> list[Passed]:
    rows = await tx.fetch(FOLLOWING, viewer_id, *_split(place), limit)
    return [
        Passed(
            FeedPlace(row["at"], row["place_id"]),
            card_of(list(row)[_CARD_AT:]) if row["is_shown"] else None,
            row["reposter_id"],
        )
        for row in rows
    ]


async def friends(tx: Tx, viewer_id: UUID, place: FeedPlace, limit: int) -> list[Card]:
    rows = await tx.fetch(FRIENDS, viewer_id, *_split(place), limit)
    return [card_of(row) for row in rows]


def _split(place: FeedPlace) -> tuple[datetime, UUID]:
    return place.published_at, place.id
