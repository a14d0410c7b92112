"""SQL of what went to other cells, and of what has to be looked at again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from luciole.cell.abroad.model import (
    MOVE_TOLD_EVERY_DAYS,
    MOVE_TOLD_FOR_DAYS,
    Crossing,
    Kind,
    Live,
    Subject,
)
from luciole.cell.clips.model import Card, card_of
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('abroad'))"
TAKE_STALE = """
DELETE FROM abroad.stale WHERE n IN (
    SELECT n FROM abroad.stale WHERE due_at <= now() ORDER BY due_at, n LIMIT $1)
RETURNING n, kind, id
"""
LATER = """
INSERT INTO abroad.stale (kind, id, due_at)
VALUES ($1, $2, now() + make_interval(secs => $3::float8))
"""
# The newest crossing of something to each cell that took it or may take it. One that was refused or
# replaced says nothing about what is there. A move counts where nothing else brought the person.
LIVE = """
SELECT c.id, c.peer, c.kind, c.subject_kind, c.state, c.uri, c.body_sha256
FROM abroad.crossing c WHERE c.subject_id = $1 AND c.state IN ('offered', 'crossed')
  AND NOT EXISTS (SELECT 1 FROM abroad.crossing n
                  WHERE n.subject_id = $1 AND n.peer = c.peer
                    AND n.state IN ('offered', 'crossed')
                    AND (n.id > c.id AND (n.kind <> 'move' OR c.kind = 'move')
                         OR c.kind = 'move' AND n.kind = 'person'))
ORDER BY c.peer
"""
# All that brought something to a cell since it was last taken back from there.
BROUGHT = """
SELECT id FROM abroad.crossing c
WHERE subject_id = $1 AND peer = $2 AND kind <> 'gone' AND state IN ('offered', 'crossed')
  AND NOT EXISTS (SELECT 1 FROM abroad.crossing g
                  WHERE g.subject_id = $1 AND g.peer = $2 AND g.kind = 'gone' AND g.id > c.id
                    AND g.state = 'crossed')
ORDER BY id DESC LIMIT $3
"""
OWNER = "SELECT person_id FROM abroad.crossing WHERE subject_id = $1 ORDER BY id LIMIT 1"
ADD = """
INSERT INTO abroad.crossing
    (id, person_id, kind, subject_kind, subject_id, peer, operator, jurisdiction, consent_id, uri,
     body_sha256, offered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
PUT = "SELECT border.put($1, $2, $3, $4, $5)"
TAKE_NEWS = """
SELECT crossing, kind, peer, state, code, receipt, made_at FROM border.take_news($1::text[])
"""
SETTLE = """
UPDATE abroad.crossing SET state = $2, refusal = $3, receipt = $4, settled_at = $5
WHERE id = $1 AND state IN ('offered', 'replaced') RETURNING subject_id, peer
"""
# What was offered before, under the same number, and was not heard of: the newer took its place.
REPLACED = """
UPDATE abroad.crossing SET state = 'replaced', settled_at = $4
WHERE subject_id = $1 AND peer = $2 AND id < $3 AND state = 'offered'
"""
# A recall or a move that was refused and sent again is one row: the newest.
PAGE = """
(SELECT c.id, c.kind, c.subject_kind, c.subject_id, c.peer, c.operator, c.jurisdiction, c.state,
       c.refusal, c.receipt IS NOT NULL AS has_receipt, c.offered_at, c.settled_at,
       NOT EXISTS (SELECT 1 FROM abroad.crossing n
                   WHERE n.subject_id = c.subject_id AND n.peer = c.peer AND n.id > c.id)
           AS is_newest,
       c.kind = 'gone' AND c.state = 'offered' AND c.offered_at < now() - interval '7 days'
           AS is_owed,
       coalesce(r.again_at, m.again_at) AS again_at,
       coalesce(r.refusals, m.refusals, 0) AS refusals
FROM abroad.crossing c LEFT JOIN abroad.recall r ON r.crossing = c.id
LEFT JOIN LATERAL (
    SELECT cardinality(array_agg(b.offered_at)) AS refusals,
           CASE WHEN c.state = 'refused' AND v.said_at IS NOT NULL
                AND min(b.offered_at) > c.offered_at + $4::interval - $5::interval
           THEN c.offered_at + $4::interval END AS again_at
    FROM (SELECT max(w.said_at) AS said_at FROM abroad.move w WHERE w.person_id = c.person_id
          AND w.ended_at IS NULL AND w.said_at <= c.offered_at) v
    CROSS JOIN LATERAL (
        SELECT n.offered_at FROM abroad.crossing n
        WHERE n.person_id = c.person_id AND n.peer = c.peer AND n.uri = c.uri
          AND n.kind = 'move' AND n.state = 'refused' AND n.id <= c.id
          AND n.offered_at >= coalesce(v.said_at, '-infinity')
        ORDER BY n.id DESC LIMIT 50) b
    GROUP BY v.said_at) m ON c.kind = 'move'
WHERE c.person_id = $1 AND c.id < $2
  AND NOT (c.kind IN ('gone', 'move') AND c.state = 'refused' AND EXISTS (
      SELECT 1 FROM abroad.crossing n
      WHERE n.subject_id = c.subject_id AND n.peer = c.peer AND n.id > c.id AND n.kind = c.kind))
ORDER BY c.id DESC LIMIT $3)
UNION ALL
(SELECT t.id, CASE WHEN t.is_gone THEN 'gone' ELSE t.kind END, t.kind, t.subject, t.server, '', '',
       'crossed', NULL, false, t.told_at, t.told_at, true, false, NULL, 0
FROM border.fediverse_told t WHERE t.person_id = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3)
ORDER BY id DESC LIMIT $3
"""
ONE = """
SELECT subject_kind, subject_id, receipt FROM abroad.crossing WHERE id = $1 AND person_id = $2
UNION ALL
SELECT kind, subject, NULL FROM border.fediverse_told WHERE id = $1 AND person_id = $2
"""
OF_PERSON = """
SELECT clip_id AS id, 'clip' AS kind FROM abroad.reach WHERE person_id = $1
UNION ALL SELECT comment_id, 'comment' FROM abroad.said WHERE person_id = $1
UNION ALL SELECT subject_id, subject_kind FROM abroad.crossing
    WHERE person_id = $1 AND subject_kind <> 'person' GROUP BY subject_id, subject_kind
ORDER BY id
"""
# Clips that are elsewhere and became older than their author lets others see.
FALLEN_OUT = """
SELECT k.id FROM clips.card k JOIN abroad.reach r ON r.clip_id = k.id WHERE k.is_past
  AND EXISTS (SELECT 1 FROM abroad.crossing c WHERE c.subject_id = k.id AND c.kind <> 'gone'
              AND c.state IN ('offered', 'crossed')
              AND NOT EXISTS (SELECT 1 FROM abroad.crossing g
                              WHERE g.subject_id = k.id AND g.peer = c.peer AND g.id > c.id))
ORDER BY k.id LIMIT $1
"""
# A clip whoever may see it.
CARD = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id, audience_list, is_past
FROM clips.card WHERE id = $1
"""
PUBLIC_STATE = """
SELECT m.state, m.is_public, m.ai IS NOT NULL AS is_ai FROM media.playable m WHERE m.asset_id = $1
"""
COMMENT = """
SELECT c.id, c.clip_id, c.writer_id, c.to_id, c.text, c.made_at, c.author_id
FROM clips.comment_card c WHERE c.id = $1
"""

EXPORT = """
SELECT id, kind, subject_kind, subject_id, peer, operator, jurisdiction, consent_id, uri,
       body_sha256, state, refusal, receipt, offered_at, settled_at
FROM abroad.crossing WHERE person_id = $1 ORDER BY id
"""
EXPORT_FEDIVERSE = """
SELECT id, kind, subject, server, is_gone, told_at
FROM border.fediverse_told WHERE person_id = $1 ORDER BY id
"""
# Where a person still is, when they go for good.
STILL_THERE = """
SELECT c.peer, c.uri
FROM abroad.crossing c
WHERE c.person_id = $1 AND c.subject_kind = 'person' AND c.kind <> 'gone'
  AND c.state IN ('offered', 'crossed')
  AND NOT EXISTS (SELECT 1 FROM abroad.crossing n
                  WHERE n.subject_id = c.subject_id AND n.peer = c.peer AND n.id > c.id
                    AND n.state IN ('offered', 'crossed'))
ORDER BY c.peer
"""
ERASE = """
DELETE FROM abroad.crossing WHERE id IN (
    SELECT id FROM abroad.crossing WHERE person_id = $1 ORDER BY id LIMIT $2)
"""
ERASE_STALE = "DELETE FROM abroad.stale WHERE id = $1"


class News(NamedTuple):
    """What became of an offer."""

    crossing: UUID
    kind: str
    peer: str
    state: str
    code: str
    receipt: str
    made_at: datetime


class Said(NamedTuple):
    """A comment, as far as it is about crossing."""

    id: UUID
    clip_id: UUID
    writer_id: UUID
    to_id: UUID | None
    text: str
    made_at: datetime
    author_id: UUID


async def try_lock(tx: Tx) -> bool:
    """False where another process is at it."""
    return bool(await tx.fetchval(TRY_LOCK))


async def take_stale(tx: Tx, most: int) -> list[tuple[str, UUID]]:
    rows = sorted(await tx.fetch(TAKE_STALE, most), key=lambda row: row["n"])
    return list(dict.fromkeys((row["kind"], row["id"]) for row in rows))


async def later(tx: Tx, kind: str, subject_id: UUID, after_s: float) -> None:
    await tx.execute(LATER, kind, subject_id, after_s)


async def live(tx: Tx, subject_id: UUID) -> list[Live]:
    """The newest word about something, for each cell that it went to."""
    return [Live(**row) for row in await tx.fetch(LIVE, subject_id)]


async def brought(tx: Tx, subject_id: UUID, peer: str, most: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(BROUGHT, subject_id, peer, most)]


async def owner(tx: Tx, subject_id: UUID) -> UUID | None:
    """Whose it was, where something of it went elsewhere."""
    found: UUID | None = await tx.fetchval(OWNER, subject_id)
    return found


async def add(
    tx: Tx,
    crossing_id: UUID,
    person_id: UUID,
    kind: Kind,
    subject_kind: Subject,
    subject_id: UUID,
    peer: str,
    operator: str,
    jurisdiction: str,
    consent_id: UUID | None,
    uri: str,
    body_sha256: bytes,
    now: datetime,
) -> None:
    await tx.execute(
        ADD,
        crossing_id,
        person_id,
        kind,
        subject_kind,
        subject_id,
        peer,
        operator,
        jurisdiction,
        consent_id,
        uri,
        body_sha256,
        now,
    )


async def put(tx: Tx, kind: str, ref: UUID, offer_id: UUID, peer: str, body: bytes) -> None:
    """Offers something to another cell. What waits under the same number gives way."""
    await tx.execute(PUT, kind, ref, offer_id, peer, body)


async def take_news(tx: Tx, kinds: Sequence[str]) -> list[News]:
    return [News(*row) for row in await tx.fetch(TAKE_NEWS, list(kinds))]


async def settle(
    tx: Tx, crossing_id: UUID, state: str, refusal: str | None, receipt: str | None, now: datetime
) -> None:
    """What became of a crossing; nothing where its person is gone."""
    row = await tx.fetchrow(SETTLE, crossing_id, state, refusal, receipt, now)
    if row is not None:
        await tx.execute(REPLACED, row["subject_id"], row["peer"], crossing_id, now)


async def page(tx: Tx, person_id: UUID, before: UUID | None, most: int) -> list[Crossing]:
    every, within = timedelta(days=MOVE_TOLD_EVERY_DAYS), timedelta(days=MOVE_TOLD_FOR_DAYS)
    rows = await tx.fetch(PAGE, person_id, before or LAST_ID, most, every, within)
    return [Crossing(**row) for row in rows]


async def one(
    tx: Tx, crossing_id: UUID, person_id: UUID
) -> tuple[Subject, UUID, str | None] | None:
    """What a crossing of a person was about, and its receipt."""
    row = await tx.fetchrow(ONE, crossing_id, person_id)
    return (row["subject_kind"], row["subject_id"], row["receipt"]) if row else None


async def of_person(tx: Tx, person_id: UUID) -> list[tuple[str, UUID]]:
    """All of a person that is, was or is to be elsewhere, besides who they are."""
    rows = await tx.fetch(OF_PERSON, person_id)
    return list(dict.fromkeys((row["kind"], row["id"]) for row in rows))


async def fallen_out(tx: Tx, most: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(FALLEN_OUT, most)]


async def card(tx: Tx, clip_id: UUID) -> Card | None:
    """A clip, for work of the cell itself: nobody is asked whether they may see it."""
    row = await tx.fetchrow(CARD, clip_id)
    return card_of(row) if row else None


async def public_state(tx: Tx, asset_id: UUID) -> tuple[str, bool, bool] | None:
    """How far a film is, whether its files are under public addresses, and whether the file said
    that AI made it or a part of it."""
    row = await tx.fetchrow(PUBLIC_STATE, asset_id)
    return (row["state"], row["is_public"], row["is_ai"]) if row else None


async def comment(tx: Tx, comment_id: UUID) -> Said | None:
    row = await tx.fetchrow(COMMENT, comment_id)
    return Said(*row) if row else None


async def export_crossings(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in listed(tx.cursor(EXPORT, person_id)):
        yield {**row, "body_sha256": row["body_sha256"].hex()}


async def export_fediverse(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in listed(tx.cursor(EXPORT_FEDIVERSE, person_id)):
        yield row


async def still_there(tx: Tx, person_id: UUID) -> list[tuple[str, str]]:
    """The cells where a person still is, and the address that they have there."""
    rows = await tx.fetch(STILL_THERE, person_id)
    return [(row["peer"], row["uri"]) for row in rows]


async def erase(tx: Tx, person_id: UUID, most: int) -> int:
    await tx.execute(ERASE_STALE, person_id)
    return int((await tx.execute(ERASE, person_id, most)).rpartition(" ")[2])
