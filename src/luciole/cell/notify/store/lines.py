"""The list: acts, and the lines that gather them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from luciole.cell.notify.model import Actor, LineKind, NotificationKind
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

# One statement, since it stands in the transaction of every act. Nothing is added where the person
# does not want it, is leaving, lives in another cell, or was told the same before. A line that
# others add to at the same time is locked until they are done, as the clip is whose likes are
# counted.
ADD = """
WITH wish AS (
    SELECT coalesce(f.off, '{}') AS off, f.digest_at IS NOT NULL AS waits,
           coalesce(f.quiet_nights, false) OR p.age_band_minor AS is_quiet, f.offset_minutes,
           EXISTS (SELECT 1 FROM notify.push d WHERE d.person_id = p.id) AS has_device
    FROM people.card p LEFT JOIN notify.preference f ON f.person_id = p.id
    WHERE p.id = $2 AND p.home IS NULL
), line AS (
    INSERT INTO notify.line AS l
        (id, person_id, kind, clip_id, about_id, is_group, top_id, waits)
    SELECT $8, $2, $3, $5, $7, $9, $1, w.waits FROM wish w
    WHERE NOT $3 = ANY (w.off)
      AND NOT EXISTS (SELECT 1 FROM notify.hushed h WHERE h.person_id = $2 AND h.actor_id = $4)
      AND NOT EXISTS (
        SELECT 1 FROM notify.notification n
        WHERE n.person_id = $2 AND n.kind = $3 AND n.actor_id = $4
          AND n.clip_id IS NOT DISTINCT FROM $5 AND n.about_id IS NOT DISTINCT FROM $6)
    ON CONFLICT (person_id, kind, clip_id, about_id, day, waits)
        WHERE is_group AND digest_id IS NULL
    DO UPDATE SET top_id = greatest(l.top_id, excluded.top_id), is_read = false
    RETURNING l.id
), added AS (
    INSERT INTO notify.notification (id, person_id, kind, actor_id, clip_id, about_id, line_id)
    SELECT $1, $2, $3, $4, $5, $6, line.id FROM line
    ON CONFLICT (person_id, kind, actor_id, clip_id, about_id) WHERE actor_id IS NOT NULL
    DO NOTHING RETURNING line_id
)
SELECT added.line_id, w.waits, w.is_quiet, w.offset_minutes, w.has_device FROM added, wish w
"""
# Of reads by staff, each once: who takes a notice tells it in the same transaction. They are told
# whatever the person has turned off.
TELL_READS = """
WITH taken AS (
    SELECT read_id, whose FROM custody.take_notices()
), line AS (
    INSERT INTO notify.line (id, person_id, kind, top_id)
    SELECT read_id, whose, 'data-read', $1 FROM taken ON CONFLICT (id) DO NOTHING
    RETURNING id, person_id
)
INSERT INTO notify.notification (id, person_id, kind, line_id)
SELECT id, person_id, 'data-read', id FROM line RETURNING person_id, line_id
"""
# Of acts of the cell itself.
ADD_OF_CELL = """
WITH line AS (
    INSERT INTO notify.line (id, person_id, kind, clip_id, about_id, top_id)
    SELECT $1, p.id, $3, $4, $5, $1 FROM people.card p WHERE p.id = $2 AND p.home IS NULL
    ON CONFLICT (id) DO NOTHING
    RETURNING id, person_id
)
INSERT INTO notify.notification (id, person_id, kind, clip_id, about_id, line_id)
SELECT id, person_id, $3, $4, $5, id FROM line RETURNING line_id
"""
WITHDRAW = """
DELETE FROM notify.notification
WHERE person_id = $1 AND kind = $2 AND actor_id = $3 AND clip_id IS NOT DISTINCT FROM $4
  AND about_id IS NOT DISTINCT FROM $5
RETURNING line_id
"""
# Only of days that are over: another may be adding to the others just now.
DROP_EMPTY = """
DELETE FROM notify.line l WHERE l.id = ANY ($1::uuid[]) AND l.day < current_date - 1
  AND NOT EXISTS (SELECT 1 FROM notify.notification n WHERE n.line_id = l.id)
"""
FORGET_CLIP = "DELETE FROM notify.line WHERE person_id = $1 AND clip_id = $2"
FORGET_ABOUT = """
DELETE FROM notify.notification WHERE person_id = $1 AND about_id = $2 RETURNING line_id
"""
# Who did the newest hundred of each line. The newest three are named, as far as they are here to be
# seen; who did several things is named once, and the cell itself is nobody.
PAGE = """
SELECT l.id, l.kind, l.clip_id, l.about_id, l.top_id, l.is_read,
       coalesce(acts.newest_at, l.made_at) AS made_at, acts.actors,
       named.handles, named.names, named.avatar_keys
FROM notify.line l CROSS JOIN LATERAL (
    SELECT max(recent.made_at) AS newest_at,
           array_agg(recent.actor_id ORDER BY recent.id DESC) AS actors
    FROM (SELECT n.id, n.actor_id, n.made_at FROM notify.notification n
          WHERE n.line_id = l.id AND NOT EXISTS (
              SELECT 1 FROM notify.hushed h WHERE h.person_id = $1 AND h.actor_id = n.actor_id)
          ORDER BY n.id DESC LIMIT 100) AS recent
) AS acts
CROSS JOIN LATERAL (
    SELECT array_agg(p.handle ORDER BY few.place) AS handles,
           array_agg(p.display_name ORDER BY few.place) AS names,
           array_agg(p.avatar_key ORDER BY few.place) AS avatar_keys
    FROM (SELECT a.id, min(a.place) AS place
          FROM unnest(acts.actors) WITH ORDINALITY AS a (id, place)
          WHERE a.id IS NOT NULL GROUP BY a.id ORDER BY 2 LIMIT 3) AS few
    JOIN people.card p ON p.id = few.id
) AS named
WHERE l.person_id = $1 AND l.top_id < $2 AND l.digest_id IS NULL AND NOT l.waits
  AND (acts.newest_at IS NOT NULL OR l.kind = 'digest')
ORDER BY l.top_id DESC LIMIT $3
"""
PAGE_OF_DIGEST = """
SELECT l.id, l.kind, l.clip_id, l.about_id, l.top_id, l.is_read,
       coalesce(acts.newest_at, l.made_at) AS made_at, acts.actors,
       named.handles, named.names, named.avatar_keys
FROM notify.line l CROSS JOIN LATERAL (
    SELECT max(recent.made_at) AS newest_at,
           array_agg(recent.actor_id ORDER BY recent.id DESC) AS actors
    FROM (SELECT n.id, n.actor_id, n.made_at FROM notify.notification n
          WHERE n.line_id = l.id AND NOT EXISTS (
              SELECT 1 FROM notify.hushed h WHERE h.person_id = $1 AND h.actor_id = n.actor_id)
          ORDER BY n.id DESC LIMIT 100) AS recent
) AS acts
CROSS JOIN LATERAL (
    SELECT array_agg(p.handle ORDER BY few.place) AS handles,
           array_agg(p.display_name ORDER BY few.place) AS names,
           array_agg(p.avatar_key ORDER BY few.place) AS avatar_keys
    FROM (SELECT a.id, min(a.place) AS place
          FROM unnest(acts.actors) WITH ORDINALITY AS a (id, place)
          WHERE a.id IS NOT NULL GROUP BY a.id ORDER BY 2 LIMIT 3) AS few
    JOIN people.card p ON p.id = few.id
) AS named
WHERE l.person_id = $1 AND l.top_id < $2 AND l.digest_id = $4 AND acts.newest_at IS NOT NULL
ORDER BY l.top_id DESC LIMIT $3
"""
# A hundred of each line at most.
DIGEST_COUNTS = """
SELECT l.digest_id, l.kind, sum(cardinality(ARRAY(
    SELECT n.id FROM notify.notification n
    WHERE n.line_id = l.id AND NOT EXISTS (
        SELECT 1 FROM notify.hushed h WHERE h.person_id = l.person_id AND h.actor_id = n.actor_id)
    ORDER BY n.id DESC LIMIT 100
))) AS acts
FROM notify.line l WHERE l.digest_id = ANY ($1::uuid[])
GROUP BY l.digest_id, l.kind ORDER BY l.digest_id, l.kind
"""
MARK_READ = """
UPDATE notify.line SET is_read = true WHERE person_id = $1 AND NOT is_read AND NOT waits
"""
# Not those by somebody who is leaving or hushed: the list does not show them.
HAS_UNREAD = """
SELECT EXISTS (
    SELECT 1 FROM notify.line l
    WHERE l.person_id = $1 AND NOT l.is_read AND NOT l.waits AND l.digest_id IS NULL
      AND (l.kind = 'digest' OR EXISTS (
          SELECT 1 FROM notify.notification n LEFT JOIN people.card p ON p.id = n.actor_id
          WHERE n.line_id = l.id AND (n.actor_id IS NULL OR p.id IS NOT NULL)
            AND NOT EXISTS (
                SELECT 1 FROM notify.hushed h
                WHERE h.person_id = $1 AND h.actor_id = n.actor_id))))
"""
HUSH = "INSERT INTO notify.hushed (person_id, actor_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
UNHUSH = "DELETE FROM notify.hushed WHERE person_id = $1 AND actor_id = $2"
FORGET_ACTOR = """
DELETE FROM notify.notification WHERE person_id = $1 AND actor_id = $2 RETURNING line_id
"""
# What is in a line goes with it.
TIDY_LINES = "DELETE FROM notify.line WHERE made_at < now() - make_interval(days => $1)"
# Erasure: to the person or by them, some at a time, without what another who leaves is taking.
ERASE_NOTIFICATIONS = """
DELETE FROM notify.notification WHERE id IN (
    SELECT id FROM notify.notification WHERE person_id = $1 OR actor_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_LINES = """
DELETE FROM notify.line WHERE id IN (
    SELECT id FROM notify.line WHERE person_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_HUSHED = """
DELETE FROM notify.hushed WHERE (person_id, actor_id) IN (
    SELECT person_id, actor_id FROM notify.hushed WHERE person_id = $1 OR actor_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
EXPORT_NOTIFICATIONS = """
SELECT n.id, n.kind, n.actor_id, p.handle AS actor, n.clip_id, n.about_id, n.made_at, n.line_id,
       l.day, l.is_group, l.top_id, l.is_read, l.waits, l.digest_id
FROM notify.notification n
JOIN notify.line l ON l.id = n.line_id
LEFT JOIN people.card p ON p.id = n.actor_id
WHERE n.person_id = $1 ORDER BY n.id
"""


class Added(NamedTuple):
    """What telling somebody led to: the line, and whether and when they hear of it."""

    line_id: UUID
    waits: bool
    is_quiet: bool
    offset_minutes: int | None
    has_device: bool


class Line(NamedTuple):
    """A line as it is stored: who did its newest acts by id, and some of them by name, the newest
    first."""

    id: UUID
    kind: LineKind
    clip_id: UUID | None
    about_id: UUID | None
    top_id: UUID
    is_read: bool
    made_at: datetime
    actors: list[UUID]
    named: tuple[Actor, ...]


async def add(
    tx: Tx,
    act_id: UUID,
    person_id: UUID,
    kind: NotificationKind,
    actor_id: UUID,
    clip_id: UUID | None,
    about_id: UUID | None,
    *,
    line_id: UUID,
    line_about: UUID | None,
    is_group: bool,
) -> Added | None:
    """None when the person does not want it, or has been told the same before. `line_id` is for a
    new line; a line of a group is about `line_about`."""
    row = await tx.fetchrow(
        ADD, act_id, person_id, kind, actor_id, clip_id, about_id, line_about, line_id, is_group
    )
    return Added(*row) if row else None


async def tell_reads(tx: Tx, top_id: UUID) -> list[tuple[UUID, UUID]]:
    """Lines about reads by staff, for everybody who has not been told yet: (person, line)."""
    return [(row["person_id"], row["line_id"]) for row in await tx.fetch(TELL_READS, top_id)]


async def add_of_cell(
    tx: Tx, line_id: UUID, person_id: UUID, kind: str, clip_id: UUID | None, about_id: UUID
) -> UUID | None:
    """A line about what the cell itself has done; None where nobody is there to read it, or where
    it is there already."""
    args = (line_id, person_id, kind, clip_id, about_id)
    found: UUID | None = await tx.fetchval(ADD_OF_CELL, *args)
    return found


async def withdraw(
    tx: Tx,
    person_id: UUID,
    kind: NotificationKind,
    actor_id: UUID,
    clip_id: UUID | None,
    about_id: UUID | None,
) -> None:
    rows = await tx.fetch(WITHDRAW, person_id, kind, actor_id, clip_id, about_id)
    await _drop_empty(tx, rows)


async def forget_clip(tx: Tx, person_id: UUID, clip_id: UUID) -> None:
    await tx.execute(FORGET_CLIP, person_id, clip_id)


async def forget_about(tx: Tx, person_id: UUID, about_id: UUID) -> None:
    await _drop_empty(tx, await tx.fetch(FORGET_ABOUT, person_id, about_id))


async def forget_actor(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    """Removes all that the list tells a person of another."""
    await _drop_empty(tx, await tx.fetch(FORGET_ACTOR, person_id, actor_id))


async def hush(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    await tx.execute(HUSH, person_id, actor_id)


async def unhush(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    await tx.execute(UNHUSH, person_id, actor_id)


async def _drop_empty(tx: Tx, rows: list[Row]) -> None:
    if rows:
        await tx.execute(DROP_EMPTY, list({row["line_id"] for row in rows}))


async def page(
    tx: Tx, person_id: UUID, before: UUID | None, limit: int, digest_id: UUID | None
) -> list[Line]:
    """Lines of the list, or of a digest, the newest first."""
    place = before or LAST_ID
    if digest_id is None:
        rows = await tx.fetch(PAGE, person_id, place, limit)
    else:
        rows = await tx.fetch(PAGE_OF_DIGEST, person_id, place, limit, digest_id)
    return [_line(row) for row in rows]


async def digest_counts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """How many acts of which kind are in each of these digests."""
    found: dict[UUID, dict[str, int]] = {}
    for row in await tx.fetch(DIGEST_COUNTS, list(ids)) if ids else []:
        found.setdefault(row["digest_id"], {})[row["kind"]] = int(row["acts"])
    return found


async def mark_read(tx: Tx, person_id: UUID) -> None:
    await tx.execute(MARK_READ, person_id)


async def has_unread(tx: Tx, person_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_UNREAD, person_id))


async def tidy(tx: Tx, days: int) -> None:
    await tx.execute(TIDY_LINES, days)


def export_notifications(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_NOTIFICATIONS, person_id))


async def erase_notifications(tx: Tx, person_id: UUID, most: int) -> int:
    """Removes some acts told to the person, or done by them; gives how many."""
    return int((await tx.execute(ERASE_NOTIFICATIONS, person_id, most)).rpartition(" ")[2])


async def erase_lines(tx: Tx, person_id: UUID, most: int) -> int:
    """The same for lines of the person's list."""
    return int((await tx.execute(ERASE_LINES, person_id, most)).rpartition(" ")[2])


async def erase_hushed(tx: Tx, person_id: UUID, most: int) -> int:
    """The same for whom the person, or who the person, is told nothing of."""
    return int((await tx.execute(ERASE_HUSHED, person_id, most)).rpartition(" ")[2])


def _line(row: Row) -> Line:
    # The cell itself is no actor, and who did several things is named once.
    actors = [one for one in row["actors"] or () if one is not None]
    if len(actors) > 1:
        actors = list(dict.fromkeys(actors))
    return Line(
        row["id"],
        row["kind"],
        row["clip_id"],
        row["about_id"],
        row["top_id"],
        row["is_read"],
        row["made_at"],
        actors,
        tuple(map(Actor, row["handles"] or (), row["names"] or (), row["avatar_keys"] or ())),
    )
