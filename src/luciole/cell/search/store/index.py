"""SQL that writes what is found: what changed is taken, read anew and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from luciole.cell.search.model import LEAST_USES, Findable
from luciole.kit.db import Tx

# One at a time in the cell: two would wait for each other's counts of words.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('search.index', 0))"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('search.index', 0))"
TAKE_STALE = """
DELETE FROM search.stale WHERE n IN (SELECT n FROM search.stale ORDER BY n LIMIT $1)
RETURNING kind, id
"""
TAKE_GONE = """
DELETE FROM search.gone WHERE n IN (SELECT n FROM search.gone ORDER BY n LIMIT $1)
RETURNING terms
"""
STALE_CLIPS_OF = """
INSERT INTO search.stale (kind, id)
SELECT 'clip', id FROM clips.published WHERE author_id = ANY($1::uuid[]) AND audience = 'everyone'
"""
STALE_SOUNDS_OF = """
INSERT INTO search.stale (kind, id) SELECT 'sound', id FROM clips.sounds
WHERE owner_id = ANY($1::uuid[])
"""
FINDABLE = """
SELECT id, caption, hashtags, published_at, likes
FROM clips.findable WHERE id = ANY($1::uuid[])
"""
TERMS = "SELECT tsvector_to_array(terms) AS terms FROM search.clip WHERE id = ANY($1::uuid[])"
ADD_CLIPS = """
INSERT INTO search.clip (id, published_at, likes_step, heat, terms)
SELECT n.id, n.published_at, search.step(n.likes), search.heat(n.published_at, n.likes),
       array_to_tsvector(string_to_array(n.terms, ' ') || ARRAY(
           SELECT '~' || s.stem FROM search.stems(string_to_array(n.terms, ' ')) AS s))
FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::text[])
     AS n (id, published_at, likes, terms)
ON CONFLICT (id) DO UPDATE SET
    published_at = excluded.published_at, likes_step = excluded.likes_step,
    heat = excluded.heat, terms = excluded.terms
"""
# Older than their authors let others look back, which no row says when it happens.
DROP_PAST = """
DELETE FROM search.clip c USING clips.published p, clips.shown_since w
WHERE p.id = c.id AND w.person_id = p.author_id AND p.published_at < w.since
"""
DROP_CLIPS = "DELETE FROM search.clip WHERE id = ANY($1::uuid[])"
COUNT_WORDS = """
UPDATE search.word w SET clips = w.clips + n.by
FROM unnest($1::text[], $2::integer[]) AS n (word, by) WHERE w.word = n.word
RETURNING w.word
"""
ADD_WORDS = """
INSERT INTO search.word (word, near, clips)
SELECT n.word, string_to_array(n.near, ' '), n.by
FROM unnest($1::text[], $2::text[], $3::integer[]) AS n (word, near, by)
"""
DROP_WORDS = "DELETE FROM search.word WHERE word = ANY($1::text[]) AND clips <= 0"
COUNT_HASHTAGS = """
UPDATE search.hashtag h SET clips = h.clips + n.by
FROM unnest($1::text[], $2::integer[]) AS n (tag, by) WHERE h.tag = n.tag
RETURNING h.tag
"""
ADD_HASHTAGS = """
INSERT INTO search.hashtag (tag, keys, clips)
SELECT n.tag, string_to_array(n.keys, ' '), n.by
FROM unnest($1::text[], $2::text[], $3::integer[]) AS n (tag, keys, by)
"""
DROP_HASHTAGS = "DELETE FROM search.hashtag WHERE tag = ANY($1::text[]) AND clips <= 0"
PEOPLE = "SELECT id, handle, display_name FROM people.card WHERE id = ANY($1::uuid[])"
ADD_PEOPLE = """
INSERT INTO search.person (id, keys, followers_step)
SELECT n.id, string_to_array(n.keys, ' '), search.step(coalesce(f.followers, 0))
FROM unnest($1::uuid[], $2::text[]) AS n (id, keys)
LEFT JOIN graph.followed_by f ON f.person_id = n.id
ON CONFLICT (id) DO UPDATE SET keys = excluded.keys, followers_step = excluded.followers_step
"""
DROP_PEOPLE = "DELETE FROM search.person WHERE id = ANY($1::uuid[])"
SOUNDS = """
SELECT id, name, handle, display_name, uses FROM clips.sounds
WHERE id = ANY($1::uuid[]) AND is_open AND (name <> '' OR uses >= $2)
"""
ADD_SOUNDS = """
INSERT INTO search.sound (id, keys, uses_step)
SELECT n.id, string_to_array(n.keys, ' '), search.step(n.uses)
FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS n (id, keys, uses)
ON CONFLICT (id) DO UPDATE SET keys = excluded.keys, uses_step = excluded.uses_step
"""
DROP_SOUNDS = "DELETE FROM search.sound WHERE id = ANY($1::uuid[])"
FORGET_STALE = "DELETE FROM search.stale WHERE id = $1"


async def try_lock(tx: Tx) -> bool:
    """Whether this transaction is the one that indexes."""
    return bool(await tx.fetchval(TRY_LOCK))


async def lock(tx: Tx) -> None:
    """Waits until this transaction is the one that indexes."""
    await tx.execute(LOCK)


async def take_stale(tx: Tx, most: int) -> dict[str, set[UUID]]:
    """What is to be looked at again, by kind."""
    found: dict[str, set[UUID]] = {}
    for row in await tx.fetch(TAKE_STALE, most):
        found.setdefault(row["kind"], set()).add(row["id"])
    return found


async def take_gone(tx: Tx, most: int) -> list[list[str]]:
    """The terms of clips that are not found any more."""
    return [row["terms"] for row in await tx.fetch(TAKE_GONE, most)]


async def stale_clips_of(tx: Tx, authors: Iterable[UUID]) -> None:
    await tx.execute(STALE_CLIPS_OF, list(authors))


async def stale_sounds_of(tx: Tx, owners: Iterable[UUID]) -> None:
    await tx.execute(STALE_SOUNDS_OF, list(owners))


async def findable(tx: Tx, ids: Iterable[UUID]) -> list[Findable]:
    """Those of the clips that everybody may see."""
    return [Findable(*row) for row in await tx.fetch(FINDABLE, list(ids))]


async def terms(tx: Tx, ids: Iterable[UUID]) -> list[list[str]]:
    """By which terms these clips are found so far."""
    return [row["terms"] for row in await tx.fetch(TERMS, list(ids))]


async def add_clips(tx: Tx, clips: Sequence[Findable], terms: Sequence[str]) -> None:
    """`terms` are each clip's, parted by blanks. Raises ForeignKeyViolation where one went."""
    await tx.execute(
        ADD_CLIPS,
        [clip.id for clip in clips],
        [clip.published_at for clip in clips],
        [clip.likes for clip in clips],
        list(terms),
    )


async def drop_past(tx: Tx) -> None:
    await tx.execute(DROP_PAST)


async def drop_clips(tx: Tx, ids: Iterable[UUID]) -> None:
    await tx.execute(DROP_CLIPS, list(ids))


async def count_words(tx: Tx, by: Mapping[str, int]) -> list[str]:
    """Adds to the counts of words; those of no clip go. Gives those that are not there yet."""
    words = sorted(by)
    there = await tx.fetch(COUNT_WORDS, words, [by[word] for word in words])
    await tx.execute(DROP_WORDS, [word for word in words if by[word] < 0])
    return sorted(set(words) - {row["word"] for row in there})


async def add_words(tx: Tx, words: Sequence[str], near: Sequence[str], by: Sequence[int]) -> None:
    """New words with what is near (parted by blanks) and their counts."""
    await tx.execute(ADD_WORDS, list(words), list(near), list(by))


async def count_hashtags(tx: Tx, by: Mapping[str, int]) -> list[str]:
    """As `count_words`."""
    tags = sorted(by)
    there = await tx.fetch(COUNT_HASHTAGS, tags, [by[tag] for tag in tags])
    await tx.execute(DROP_HASHTAGS, [tag for tag in tags if by[tag] < 0])
    return sorted(set(tags) - {row["tag"] for row in there})


async def add_hashtags(tx: Tx, tags: Sequence[str], keys: Sequence[str], by: Sequence[int]) -> None:
    """As `add_words`."""
    await tx.execute(ADD_HASHTAGS, list(tags), list(keys), list(by))


async def people(tx: Tx, ids: Iterable[UUID]) -> list[Any]:
    """Id, handle and name of those who are there and do not leave."""
    return await tx.fetch(PEOPLE, list(ids))


async def add_people(tx: Tx, ids: Sequence[UUID], keys: Sequence[str]) -> None:
    """`keys` are each person's, parted by blanks. Raises ForeignKeyViolation where one went."""
    await tx.execute(ADD_PEOPLE, list(ids), list(keys))


async def drop_people(tx: Tx, ids: Iterable[UUID]) -> None:
    await tx.execute(DROP_PEOPLE, list(ids))


async def sounds(tx: Tx, ids: Iterable[UUID]) -> list[Any]:
    """Those that may be found, with their name, their owner's and their uses."""
    return await tx.fetch(SOUNDS, list(ids), LEAST_USES)


async def add_sounds(tx: Tx, ids: Sequence[UUID], keys: Sequence[str], uses: Sequence[int]) -> None:
    """As `add_people`."""
    await tx.execute(ADD_SOUNDS, list(ids), list(keys), list(uses))


async def drop_sounds(tx: Tx, ids: Iterable[UUID]) -> None:
    await tx.execute(DROP_SOUNDS, list(ids))


async def forget_stale(tx: Tx, thing_id: UUID) -> None:
    await tx.execute(FORGET_STALE, thing_id)
