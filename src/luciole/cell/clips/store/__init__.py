"""The SQL of clips."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.clips.model import Audience, Card, ListKind, State, WhoMay, card_of
from luciole.cell.graph.model import Relation
from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

ADD = """
INSERT INTO clips.clip
    (id, author_id, asset_id, caption, hashtags, audience, made_with_ai,
     captions_language, captions_vtt, sound_id, lets_reuse)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
CARD = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id, audience_list, is_past
FROM clips.card WHERE id = $1
"""
CARDS = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id, audience_list, is_past
FROM clips.card WHERE id = ANY($1::uuid[])
"""
# With all that says whether a viewer sees it where they are, in one round trip: what is not asked
# for a clip like this one is not looked up. Nobody's own are withheld from them.
SEEN = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id, audience_list, is_past,
       is_private AND EXISTS (
           SELECT 1 FROM graph.accepted f WHERE f.follower_id = $2 AND f.followee_id = author_id)
           AS follows,
       audience = 'friends' AND EXISTS (
           SELECT 1 FROM graph.friends f WHERE f.a = $2 AND f.b = author_id) AS is_friend,
       EXISTS (SELECT 1 FROM graph.apart x WHERE x.a = $2 AND x.b = author_id) AS is_apart,
       audience_list IS NULL OR clips.is_open_to($2, id, audience_list) AS is_open,
       CASE WHEN author_id IS DISTINCT FROM $2 THEN coalesce(
           (SELECT h.notice_id FROM notices.clips_here h WHERE h.clip_id = card.id
            ORDER BY h.notice_id LIMIT 1),
           (SELECT h.notice_id FROM notices.people_here h WHERE h.person_id = author_id
            ORDER BY h.notice_id LIMIT 1)) END AS notice_id
FROM clips.card WHERE id = $1
"""
LOCK = "SELECT id FROM clips.clip WHERE id = $1 FOR UPDATE"
AUTHOR = "SELECT author_id FROM clips.clip WHERE id = $1"
GRID = """
SELECT id, author_id, asset_id, caption, hashtags, audience, state, refused_code, made_with_ai,
       likes, captions_language, created_at, published_at, handle, display_name, avatar_key,
       is_private, duration_ms, width, height, progress, renditions, poster_key, has_audio,
       comments, reposts, favourites, comments_by, sound_id, answers_id, audience_list, is_past
FROM clips.card
WHERE author_id = $1 AND id < $2
  AND audience = ANY($4::text[])
  AND ($3 OR (state = 'published' AND NOT is_past
              AND (audience_list IS NULL OR clips.is_open_to($6, id, audience_list))
              AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = card.id)
              AND NOT EXISTS (
                  SELECT 1 FROM notices.people_here h WHERE h.person_id = card.author_id)))
ORDER BY id DESC LIMIT $5
"""
CAPTIONS = "SELECT captions_vtt FROM clips.clip WHERE id = $1"
EDIT = """
UPDATE clips.clip SET caption = $2, hashtags = $3, audience = $4, made_with_ai = $5 WHERE id = $1
"""
SET_CONVERSATION = "UPDATE clips.clip SET comments_by = $2, answers_id = $3 WHERE id = $1"
SET_CAPTIONS = "UPDATE clips.clip SET captions_vtt = $2, captions_language = $3 WHERE id = $1"
DELETE = "DELETE FROM clips.clip WHERE id = $1"
# What was brought along has been published before, and keeps its time.
PUBLISH = """
UPDATE clips.clip
SET state = 'published', published_at = coalesce(published_at, $2)
WHERE asset_id = $1 AND state = 'processing'
RETURNING id, author_id, audience, audience_list, published_at = $2 AS is_new
"""
BRING = """
INSERT INTO clips.clip
    (id, author_id, asset_id, caption, hashtags, audience, made_with_ai,
     captions_language, captions_vtt, state, created_at, published_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
        least($11::timestamptz, now()), $12)
"""
HAS_ANY = "SELECT EXISTS (SELECT 1 FROM clips.clip WHERE author_id = $1)"
REFUSE = """
UPDATE clips.clip SET state = 'refused', refused_code = $2
WHERE asset_id = $1 AND state = 'processing'
RETURNING id, author_id
"""
FILMS_FOR_ALL = """
SELECT c.asset_id FROM clips.clip c JOIN people.card p ON p.id = c.author_id
WHERE c.id = ANY($1::uuid[]) AND c.state = 'published' AND c.audience = 'everyone'
  AND c.audience_list IS NULL AND NOT p.is_private
"""
BY_ASSET = "SELECT id, author_id FROM clips.clip WHERE asset_id = $1"
# Clips whose asset has an outcome that they have not heard of: a lost job heals here.
UNSETTLED = """
SELECT c.asset_id, m.state, m.refused_code
FROM clips.clip c JOIN media.playable m ON m.asset_id = c.asset_id
WHERE c.state = 'processing' AND m.state IN ('playable', 'complete', 'refused')
LIMIT $1
"""
LIKE = """
INSERT INTO clips.liked (clip_id, person_id, made_at)
VALUES ($1, $2, least(coalesce($3::timestamptz, now()), now()))
ON CONFLICT DO NOTHING
"""
UNLIKE = "DELETE FROM clips.liked WHERE clip_id = $1 AND person_id = $2"
ADD_LIKES = "UPDATE clips.clip SET likes = likes + $2 WHERE id = $1 RETURNING likes"
TALLY_ADD = """
INSERT INTO clips.tally (person_id, clips) VALUES ($1, greatest($2, 0))
ON CONFLICT (person_id) DO UPDATE SET clips = clips.tally.clips + $2
"""
TALLY = "SELECT clips FROM clips.tally WHERE person_id = $1"
# Erasure. Clips are locked in the order of their ids, and before their likes, as liking does it.
LIKED_NEXT = "SELECT clip_id FROM clips.liked WHERE person_id = $1 LIMIT $2"
LOCK_MANY = "SELECT id FROM clips.clip WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
UNLIKE_MANY = """
DELETE FROM clips.liked WHERE person_id = $1 AND clip_id = ANY($2::uuid[]) RETURNING clip_id
"""
TAKE_LIKES = "UPDATE clips.clip SET likes = likes - 1 WHERE id = ANY($1::uuid[])"
LOCK_OWN = "SELECT id FROM clips.clip WHERE author_id = $1 ORDER BY id LIMIT $2 FOR UPDATE"
DELETE_MANY = "DELETE FROM clips.clip WHERE id = ANY($1::uuid[])"
DROP_PREFERENCE = "DELETE FROM clips.preference WHERE person_id = $1"
DROP_TALLY = "DELETE FROM clips.tally WHERE person_id = $1"

EXPORT_CLIPS = """
SELECT id, author_id, asset_id, caption, hashtags, audience, audience_list, state, refused_code,
       made_with_ai, likes, comments, reposts, favourites, comments_by, sound_id, lets_reuse,
       answers_id, lets_quote, captions_language, captions_vtt, created_at, published_at
FROM clips.clip WHERE author_id = $1 ORDER BY created_at, id
"""
EXPORT_LIKED = """
SELECT l.clip_id, c.handle AS author, l.made_at
FROM clips.liked l LEFT JOIN clips.card c ON c.id = l.clip_id
WHERE l.person_id = $1 ORDER BY l.made_at, l.clip_id
"""
EXPORT_PREFERENCE = """
SELECT past_days, comments_by, mentions_by, filter_words, shows_likes, lets_quote
FROM clips.preference WHERE person_id = $1
"""
EXPORT_TALLY = "SELECT clips FROM clips.tally WHERE person_id = $1"


class Seen(NamedTuple):
    """A clip, the viewer's relation to its author as far as this clip asks for it, whether its list
    lets them see it, and the notice by which it is withheld where they are."""

    card: Card
    relation: Relation
    is_open: bool
    notice_id: UUID | None


async def films_for_all(tx: Tx, clip_ids: Sequence[UUID]) -> list[UUID]:
    """The assets of those of the clips that everybody may see."""
    return [row["asset_id"] for row in await tx.fetch(FILMS_FOR_ALL, list(clip_ids))]


async def add(
    tx: Tx,
    clip_id: UUID,
    author_id: UUID,
    asset_id: UUID,
    caption: str,
    hashtags: list[str],
    audience: Audience,
    made_with_ai: bool,
    captions: tuple[str, str] | None,
    sound_id: UUID | None,
    lets_reuse: bool,
) -> None:
    vtt, language = captions or (None, None)
    await tx.execute(
        ADD,
        clip_id,
        author_id,
        asset_id,
        caption,
        hashtags,
        audience,
        made_with_ai,
        language,
        vtt,
        sound_id,
        lets_reuse,
    )


async def card(tx: Tx, clip_id: UUID) -> Card | None:
    row = await tx.fetchrow(CARD, clip_id)
    return card_of(row) if row else None


async def seen(tx: Tx, clip_id: UUID, viewer_id: UUID | None) -> Seen | None:
    """A clip with how the viewer stands to it."""
    row = await tx.fetchrow(SEEN, clip_id, viewer_id)
    if row is None:
        return None
    *of_card, follows, is_friend, is_apart, is_open, notice_id = row
    return Seen(
        card_of(of_card),
        Relation("yes" if follows or is_friend else "no", is_friend, is_blocked=is_apart),
        is_open,
        notice_id,
    )


async def cards(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Card]:
    return {row["id"]: card_of(row) for row in await tx.fetch(CARDS, list(ids))}


async def author(tx: Tx, clip_id: UUID) -> UUID | None:
    author_id: UUID | None = await tx.fetchval(AUTHOR, clip_id)
    return author_id


async def lock(tx: Tx, clip_id: UUID) -> None:
    await tx.execute(LOCK, clip_id)


async def grid(
    tx: Tx,
    author_id: UUID,
    before: UUID | None,
    is_own: bool,
    audiences: Iterable[Audience],
    limit: int,
    viewer_id: UUID | None,
) -> list[Card]:
    rows = await tx.fetch(
        GRID, author_id, before or LAST_ID, is_own, list(audiences), limit, viewer_id
    )
    return [card_of(row) for row in rows]


async def captions(tx: Tx, clip_id: UUID) -> str | None:
    vtt: str | None = await tx.fetchval(CAPTIONS, clip_id)
    return vtt


async def edit(
    tx: Tx,
    clip_id: UUID,
    caption: str,
    hashtags: list[str],
    audience: Audience,
    made_with_ai: bool,
) -> None:
    await tx.execute(EDIT, clip_id, caption, hashtags, audience, made_with_ai)


async def set_conversation(
    tx: Tx, clip_id: UUID, comments_by: WhoMay | None, answers_id: UUID | None
) -> None:
    await tx.execute(SET_CONVERSATION, clip_id, comments_by, answers_id)


async def set_captions(tx: Tx, clip_id: UUID, vtt: str | None, language: str | None) -> None:
    await tx.execute(SET_CAPTIONS, clip_id, vtt, language)


async def delete(tx: Tx, clip_id: UUID) -> None:
    await tx.execute(DELETE, clip_id)


async def publish(
    tx: Tx, asset_id: UUID, now: datetime
) -> tuple[UUID, UUID, Audience, ListKind | None, bool] | None:
    """Clip, author, audience, list, and whether it is published for the first time; None when it
    was settled before."""
    row = await tx.fetchrow(PUBLISH, asset_id, now)
    return tuple(row) if row else None


async def bring(
    tx: Tx,
    clip_id: UUID,
    author_id: UUID,
    asset_id: UUID,
    caption: str,
    hashtags: list[str],
    audience: Audience,
    made_with_ai: bool,
    captions: tuple[str, str] | None,
    state: State,
    created_at: datetime,
    published_at: datetime,
) -> None:
    """Adds a clip that was published elsewhere before."""
    vtt, language = captions or (None, None)
    await tx.execute(
        BRING,
        clip_id,
        author_id,
        asset_id,
        caption,
        hashtags,
        audience,
        made_with_ai,
        language,
        vtt,
        state,
        created_at,
        published_at,
    )


async def has_any(tx: Tx, author_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_ANY, author_id))


async def refuse(tx: Tx, asset_id: UUID, code: str) -> tuple[UUID, UUID] | None:
    row = await tx.fetchrow(REFUSE, asset_id, code)
    return (row["id"], row["author_id"]) if row else None


async def by_asset(tx: Tx, asset_id: UUID) -> tuple[UUID, UUID] | None:
    row = await tx.fetchrow(BY_ASSET, asset_id)
    return (row["id"], row["author_id"]) if row else None


async def unsettled(tx: Tx, limit: int) -> list[tuple[UUID, str | None]]:
    """Assets with an outcome: the refusal code, or None where it can be played."""
    return [(row["asset_id"], row["refused_code"]) for row in await tx.fetch(UNSETTLED, limit)]


async def like(tx: Tx, clip_id: UUID, person_id: UUID, made_at: datetime | None) -> bool:
    return (await tx.execute(LIKE, clip_id, person_id, made_at)).endswith(" 1")


async def unlike(tx: Tx, clip_id: UUID, person_id: UUID) -> bool:
    return (await tx.execute(UNLIKE, clip_id, person_id)).endswith(" 1")


async def add_likes(tx: Tx, clip_id: UUID, by: int) -> int:
    return int(await tx.fetchval(ADD_LIKES, clip_id, by))


async def tally_add(tx: Tx, person_id: UUID, by: int) -> None:
    await tx.execute(TALLY_ADD, person_id, by)


async def tally(tx: Tx, person_id: UUID) -> int:
    return int(await tx.fetchval(TALLY, person_id) or 0)


def export_clips(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_CLIPS, person_id))


def export_liked(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_LIKED, person_id))


def export_preference(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_PREFERENCE, person_id))


def export_tally(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_TALLY, person_id))


async def erase_likes(tx: Tx, person_id: UUID, most: int) -> int:
    """Takes back some of a person's likes, with the numbers that others see; gives how many."""
    clips = [row["clip_id"] for row in await tx.fetch(LIKED_NEXT, person_id, most)]
    await tx.fetch(LOCK_MANY, clips)
    taken = [row["clip_id"] for row in await tx.fetch(UNLIKE_MANY, person_id, clips)]
    await tx.execute(TAKE_LIKES, taken)
    return len(taken)


async def erase_clips(tx: Tx, author_id: UUID, most: int) -> int:
    """Deletes some of a person's clips and the likes on them; gives how many."""
    clips = [row["id"] for row in await tx.fetch(LOCK_OWN, author_id, most)]
    await tx.execute(DELETE_MANY, clips)
    return len(clips)


async def drop_preference(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_PREFERENCE, person_id)


async def drop_tally(tx: Tx, person_id: UUID) -> None:
    await tx.execute(DROP_TALLY, person_id)
