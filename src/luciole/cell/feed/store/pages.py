"""SQL of sessions and their pages. Nothing here is about a person, except in `cards`, which leaves
out what the viewer does not want to see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from luciole.cell.clips.model import Card, card_of
from luciole.cell.feed.model import Page, Served, Session
from luciole.kit.db import Row, Tx

ADD_SESSION = "INSERT INTO feed.session (id, mode, trust, made_at) VALUES ($1, $2, $3, $4)"
SESSION = """
SELECT id, mode, trust, made_at, hidden_authors, hidden_hashtags
FROM feed.session WHERE id = $1 AND made_at > $2
"""
ADD_PAGE = """
INSERT INTO feed.page
    (id, session_id, n, made_at, weights_version, seed, is_end, slots, inputs)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (session_id, n) DO NOTHING
"""
PAGE = """
SELECT id, session_id, n, made_at, weights_version, seed, is_end, slots, inputs
FROM feed.page WHERE session_id = $1 AND n = $2
"""
PAGE_BY_ID = """
SELECT id, session_id, n, made_at, weights_version, seed, is_end, slots, inputs
FROM feed.page WHERE id = $1
"""
IS_SEALED = """
SELECT EXISTS (
    SELECT 1 FROM feed.page p JOIN feed.learner l ON l.session_id = p.session_id WHERE p.id = $1)
"""
SLOTS_BETWEEN = """
SELECT slots FROM feed.page WHERE session_id = $1 AND n >= $2 AND n < $3 ORDER BY n
"""
SERVED = """
SELECT p.id AS page_id, p.made_at AS page_made_at, p.weights_version, p.slots,
       s.id, s.mode, s.trust, s.made_at, s.hidden_authors, s.hidden_hashtags, l.person_id
FROM feed.page p
JOIN feed.session s ON s.id = p.session_id
LEFT JOIN feed.learner l ON l.session_id = s.id
WHERE p.id = ANY($1::uuid[]) AND s.made_at > $2
"""
HIDE_AUTHOR = """
UPDATE feed.session SET hidden_authors = hidden_authors || $2::uuid
WHERE id = $1 AND NOT hidden_authors @> ARRAY[$2::uuid] AND cardinality(hidden_authors) < 500
"""
HIDE_HASHTAG = """
UPDATE feed.session SET hidden_hashtags = hidden_hashtags || $2::text
WHERE id = $1 AND NOT hidden_hashtags @> ARRAY[$2::text] AND cardinality(hidden_hashtags) < 500
"""
# Of a list that is the same for everybody, what this viewer may and wants to see now.
CARDS = """
SELECT c.id, c.author_id, c.asset_id, c.caption, c.hashtags, c.audience, c.state, c.refused_code,
       c.made_with_ai, c.likes, c.captions_language, c.created_at, c.published_at, c.handle,
       c.display_name, c.avatar_key, c.is_private, c.duration_ms, c.width, c.height, c.progress,
       c.renditions, c.poster_key, c.has_audio, c.comments, c.reposts, c.favourites, c.comments_by,
       c.sound_id, c.answers_id, c.audience_list, c.is_past
FROM clips.card c
WHERE c.id = ANY($1::uuid[]) AND c.state = 'published' AND c.audience = 'everyone'
  AND NOT c.is_private AND NOT c.is_past
  AND (c.audience_list IS NULL OR clips.is_open_to($2, c.id, c.audience_list))
  AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM notices.people_here h WHERE h.person_id = c.author_id)
  AND c.author_id <> ALL($3::uuid[]) AND NOT c.hashtags && $4::text[]
  AND NOT EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $2 AND x.b = c.author_id)
  AND NOT EXISTS (SELECT 1 FROM graph.muted m WHERE m.person_id = $2 AND m.other_id = c.author_id)
  AND NOT EXISTS (
      SELECT 1 FROM feed.hidden h
      WHERE h.person_id = $2
        AND ((h.kind = 'clip' AND h.value = c.id::text)
             OR (h.kind = 'author' AND h.value = c.author_id::text)
             OR (h.kind = 'sound' AND h.value = c.sound_id::text)
             OR (h.kind = 'hashtag' AND h.value = ANY(c.hashtags))))
"""
DROP_SESSIONS = "DELETE FROM feed.session WHERE made_at < $1"


async def add_session(tx: Tx, session: Session) -> None:
    await tx.execute(ADD_SESSION, session.id, session.mode, session.trust, session.made_at)


async def session(tx: Tx, session_id: UUID, made_after: datetime) -> Session | None:
    row = await tx.fetchrow(SESSION, session_id, made_after)
    return _session(row) if row else None


async def add_page(tx: Tx, page: Page) -> bool:
    """False where another request has made the same page meanwhile."""
    done = await tx.execute(
        ADD_PAGE,
        page.id,
        page.session_id,
        page.n,
        page.made_at,
        page.weights_version,
        page.seed,
        page.is_end,
        page.slots,
        page.inputs,
    )
    return done.endswith(" 1")


async def page(tx: Tx, session_id: UUID, n: int) -> Page | None:
    row = await tx.fetchrow(PAGE, session_id, n)
    return Page(*row) if row else None


async def page_by_id(tx: Tx, page_id: UUID) -> Page | None:
    row = await tx.fetchrow(PAGE_BY_ID, page_id)
    return Page(*row) if row else None


async def is_sealed(tx: Tx, page_id: UUID) -> bool:
    """Whether a page is of somebody who lets the cell learn."""
    return bool(await tx.fetchval(IS_SEALED, page_id))


async def slots_between(tx: Tx, session_id: UUID, first: int, end: int) -> list[bytes]:
    """The slots of the pages from a number on, up to another."""
    rows = await tx.fetch(SLOTS_BETWEEN, session_id, first, end)
    return [row["slots"] for row in rows]


async def served(
    tx: Tx, page_ids: Sequence[UUID], session_made_after: datetime
) -> dict[UUID, Served]:
    """Those of the pages that were given out and whose day is not over."""
    rows = await tx.fetch(SERVED, page_ids, session_made_after)
    return {
        row["page_id"]: Served(
            row["page_id"],
            _session(row),
            row["person_id"],
            row["page_made_at"],
            row["weights_version"],
            row["slots"],
        )
        for row in rows
    }


async def hide_author(tx: Tx, session_id: UUID, author_id: UUID) -> None:
    await tx.execute(HIDE_AUTHOR, session_id, author_id)


async def hide_hashtag(tx: Tx, session_id: UUID, hashtag: str) -> None:
    await tx.execute(HIDE_HASHTAG, session_id, hashtag)


async def cards(
    tx: Tx, ids: Sequence[UUID], viewer_id: UUID | None, session: Session
) -> dict[UUID, Card]:
    """Those of the clips that the viewer may and wants to see."""
    rows = await tx.fetch(
        CARDS, ids, viewer_id, list(session.hidden_authors), list(session.hidden_hashtags)
    )
    return {row["id"]: card_of(row) for row in rows}


async def drop_sessions(tx: Tx, made_before: datetime) -> int:
    """Drops sessions with their pages; gives how many."""
    return int((await tx.execute(DROP_SESSIONS, made_before)).rpartition(" ")[2])


def _session(row: Row) -> Session:
    return Session(
        row["id"],
        row["mode"],
        row["trust"],
        row["made_at"],
        tuple(cast(list[UUID], row["hidden_authors"])),
        tuple(cast(list[str], row["hidden_hashtags"])),
    )
