"""SQL that finds clips: ids from the index, which knows nothing of the viewer; then what this
viewer may see of them, by what holds now.

A frequent word is met soon by walking along the order; a rare one is looked up. Which of both it is
shows in a bounded walk, whatever the planner thinks: WALK_… first, FIND_… where that was not
enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from luciole.cell.clips.model import Card, card_of
from luciole.cell.search.model import Order, Place, Ref
from luciole.kit.db import Row, Tx

WALK_NEW = """
SELECT id, heat, likes_step, published_at FROM (
    SELECT id, heat, likes_step, published_at, terms FROM search.clip
    WHERE (published_at, id) < ($2, $3)
    ORDER BY published_at DESC, id DESC LIMIT $5
) few
WHERE terms @@ $1::text::tsquery
ORDER BY published_at DESC, id DESC LIMIT $4
"""
FIND_NEW = """
WITH found AS MATERIALIZED (
    SELECT id, heat, likes_step, published_at FROM search.clip WHERE terms @@ $1::text::tsquery
)
SELECT id, heat, likes_step, published_at FROM found
WHERE (published_at, id) < ($2, $3)
ORDER BY published_at DESC, id DESC LIMIT $4
"""
WALK_LIKED = """
SELECT id, heat, likes_step, published_at FROM (
    SELECT id, heat, likes_step, published_at, terms FROM search.clip
    WHERE (likes_step, published_at, id) < ($2, $3, $4)
    ORDER BY likes_step DESC, published_at DESC, id DESC LIMIT $6
) few
WHERE terms @@ $1::text::tsquery
ORDER BY likes_step DESC, published_at DESC, id DESC LIMIT $5
"""
FIND_LIKED = """
WITH found AS MATERIALIZED (
    SELECT id, heat, likes_step, published_at FROM search.clip WHERE terms @@ $1::text::tsquery
)
SELECT id, heat, likes_step, published_at FROM found
WHERE (likes_step, published_at, id) < ($2, $3, $4)
ORDER BY likes_step DESC, published_at DESC, id DESC LIMIT $5
"""
WALK_BEST = """
SELECT id, heat, likes_step, published_at FROM (
    SELECT id, heat, likes_step, published_at, terms FROM search.clip
    WHERE (heat, id) < ($2, $3)
    ORDER BY heat DESC, id DESC LIMIT $5
) few
WHERE terms @@ $1::text::tsquery
ORDER BY heat DESC, id DESC LIMIT $4
"""
FIND_BEST = """
WITH found AS MATERIALIZED (
    SELECT id, heat, likes_step, published_at FROM search.clip WHERE terms @@ $1::text::tsquery
)
SELECT id, heat, likes_step, published_at FROM found
WHERE (heat, id) < ($2, $3)
ORDER BY heat DESC, id DESC LIMIT $4
"""
STEMS = "SELECT word, stem FROM search.stems($1::text[])"
NEAR = "SELECT word, clips FROM search.word WHERE near && $1::text[]"
CARDS = """
SELECT c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
       c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at, c.handle,
       c.display_name, c.avatar_key, c.is_private, c.duration_ms, c.width, c.height, c.progress,
       c.renditions, c.poster_key, c.has_audio, c.comments, c.reposts, c.favourites, c.comments_by,
       c.sound_id, c.answers_id, c.audience_list, c.is_past
FROM clips.card c
WHERE c.id = ANY($1::uuid[]) AND c.state = 'published' AND c.audience = 'everyone'
  AND c.audience_list IS NULL AND NOT c.is_private AND NOT c.is_past
  AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = c.author_id)
  AND NOT EXISTS (SELECT 1 FROM graph.apart a WHERE a.a = $2 AND a.b = c.author_id)
  AND NOT EXISTS (SELECT 1 FROM graph.muted m WHERE m.person_id = $2 AND m.other_id = c.author_id)
"""


async def walk(tx: Tx, query: str, order: Order, place: Place, limit: int, steps: int) -> list[Ref]:
    """The first of a query among the next `steps` rows of an order."""
    if order == "new":
        rows = await tx.fetch(WALK_NEW, query, place.published_at, place.id, limit, steps)
    elif order == "liked":
        at = place.likes_step, place.published_at, place.id
        rows = await tx.fetch(WALK_LIKED, query, *at, limit, steps)
    else:
        rows = await tx.fetch(WALK_BEST, query, place.heat, place.id, limit, steps)
    return [_ref(row) for row in rows]


async def find(tx: Tx, query: str, order: Order, place: Place, limit: int) -> list[Ref]:
    """The first of a query after a place in an order."""
    if order == "new":
        rows = await tx.fetch(FIND_NEW, query, place.published_at, place.id, limit)
    elif order == "liked":
        at = place.likes_step, place.published_at, place.id
        rows = await tx.fetch(FIND_LIKED, query, *at, limit)
    else:
        rows = await tx.fetch(FIND_BEST, query, place.heat, place.id, limit)
    return [_ref(row) for row in rows]


async def stems(tx: Tx, words: Sequence[str]) -> dict[str, list[str]]:
    """Other beginnings by which words are found."""
    found: dict[str, list[str]] = {}
    for row in await tx.fetch(STEMS, list(words)):
        found.setdefault(row["word"], []).append(row["stem"])
    return found


async def near(tx: Tx, near_words: Sequence[str]) -> dict[str, int]:
    """Words of clips that may be meant, and in how many clips each is."""
    return {row["word"]: row["clips"] for row in await tx.fetch(NEAR, list(near_words))}


async def cards(tx: Tx, ids: Sequence[UUID], viewer_id: UUID | None) -> dict[UUID, Card]:
    """Those of the clips that the viewer may and wants to see."""
    return {row["id"]: card_of(row) for row in await tx.fetch(CARDS, list(ids), viewer_id)}


def _ref(row: Row) -> Ref:
    return Ref(row["id"], row["heat"], row["likes_step"], row["published_at"])
