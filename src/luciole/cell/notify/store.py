"""The SQL of notify."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast
from uuid import UUID

import msgspec

from luciole.cell.notify.model import Actor, Event, EventKind, Notification, NotificationKind
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed
from luciole.kit.ids import LAST_ID

ADD_EVENT = """
INSERT INTO notify.event (id, person_id, kind, actor_id, clip_id, body)
VALUES ($1, $2, $3, $4, $5, $6)
"""
# With the horizon of now: all that ended before it was announced before this.
ANNOUNCE = """
SELECT pg_notify($1, $2::text || ' ' || pg_snapshot_xmin(pg_current_snapshot())::text)
"""
EVENT = """
SELECT e.id, e.person_id, e.kind, e.clip_id, e.body,
       p.handle, p.display_name, p.avatar_key
FROM notify.event e LEFT JOIN people.card p ON p.id = e.actor_id
WHERE e.id = $1 AND (e.actor_id IS NULL OR p.id IS NOT NULL)
  AND NOT EXISTS (
      SELECT 1 FROM notify.hushed h WHERE h.person_id = e.person_id AND h.actor_id = e.actor_id)
"""
# Of those who are told what everybody is, whom it is kept from.
HUSHED_AMONG = """
SELECT h.person_id FROM notify.event e JOIN notify.hushed h ON h.actor_id = e.actor_id
WHERE e.id = $1 AND h.person_id = ANY($2::uuid[])
"""
EVENTS_SINCE = """
SELECT e.id, e.person_id, e.kind, e.clip_id, e.body,
       p.handle, p.display_name, p.avatar_key,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon
FROM notify.event e LEFT JOIN people.card p ON p.id = e.actor_id
WHERE e.person_id = $1 AND e.xact >= ($2::bigint)::text::xid8
  AND (e.actor_id IS NULL OR p.id IS NOT NULL)
  AND NOT EXISTS (
      SELECT 1 FROM notify.hushed h WHERE h.person_id = $1 AND h.actor_id = e.actor_id)
ORDER BY e.xact DESC, e.id DESC
LIMIT $3
"""
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
ADD_NOTIFICATION = """
INSERT INTO notify.notification (id, person_id, kind, actor_id, clip_id)
SELECT $1::uuid, $2::uuid, $3::text, $4::uuid, $5::uuid
WHERE NOT EXISTS (SELECT 1 FROM notify.hushed WHERE person_id = $2 AND actor_id = $4)
ON CONFLICT (person_id, kind, actor_id, clip_id) WHERE actor_id IS NOT NULL DO NOTHING
"""
# Of reads by staff, each once: who takes a notice tells it in the same transaction.
TELL_READS = """
INSERT INTO notify.notification (id, person_id, kind)
SELECT read_id, whose, 'data-read' FROM custody.take_notices() ON CONFLICT (id) DO NOTHING
"""
WITHDRAW = """
DELETE FROM notify.notification
WHERE person_id = $1 AND kind = $2 AND actor_id = $3 AND clip_id IS NOT DISTINCT FROM $4
"""
FORGET_CLIP = "DELETE FROM notify.notification WHERE person_id = $1 AND clip_id = $2"
PAGE = """
SELECT n.id, n.kind, n.clip_id, n.made_at, n.is_read,
       p.handle, p.display_name, p.avatar_key
FROM notify.notification n LEFT JOIN people.card p ON p.id = n.actor_id
WHERE n.person_id = $1 AND n.id < $2 AND (n.actor_id IS NULL OR p.id IS NOT NULL)
  AND NOT EXISTS (
      SELECT 1 FROM notify.hushed h WHERE h.person_id = $1 AND h.actor_id = n.actor_id)
ORDER BY n.id DESC
LIMIT $3
"""
MARK_READ = "UPDATE notify.notification SET is_read = true WHERE person_id = $1 AND NOT is_read"
# Not those by somebody who is leaving or hushed: the list does not show them.
HAS_UNREAD = """
SELECT EXISTS (
    SELECT 1 FROM notify.notification n LEFT JOIN people.card p ON p.id = n.actor_id
    WHERE n.person_id = $1 AND NOT n.is_read AND (n.actor_id IS NULL OR p.id IS NOT NULL)
      AND NOT EXISTS (
          SELECT 1 FROM notify.hushed h WHERE h.person_id = $1 AND h.actor_id = n.actor_id))
"""
HUSH = "INSERT INTO notify.hushed (person_id, actor_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
UNHUSH = "DELETE FROM notify.hushed WHERE person_id = $1 AND actor_id = $2"
FORGET_ACTOR = "DELETE FROM notify.notification WHERE person_id = $1 AND actor_id = $2"
FORGET_EVENTS_OF = "DELETE FROM notify.event WHERE person_id = $1 AND actor_id = $2"
TIDY_EVENTS = "DELETE FROM notify.event WHERE made_at < now() - make_interval(mins => $1)"
TIDY_NOTIFICATIONS = (
    "DELETE FROM notify.notification WHERE made_at < now() - make_interval(days => $1)"
)
# Erasure: to the person or by them. Each step takes some of what is left, without those that
# another who leaves is taking just now; should that one fail, they go with the account.
ERASE_NOTIFICATIONS = """
DELETE FROM notify.notification WHERE id IN (
    SELECT id FROM notify.notification WHERE person_id = $1 OR actor_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
ERASE_EVENTS = """
DELETE FROM notify.event WHERE id IN (
    SELECT id FROM notify.event WHERE person_id = $1 OR actor_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""

ERASE_HUSHED = """
DELETE FROM notify.hushed WHERE (person_id, actor_id) IN (
    SELECT person_id, actor_id FROM notify.hushed WHERE person_id = $1 OR actor_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""

EXPORT_NOTIFICATIONS = """
SELECT n.id, n.kind, n.actor_id, p.handle AS actor, n.clip_id, n.made_at, n.is_read
FROM notify.notification n LEFT JOIN people.card p ON p.id = n.actor_id
WHERE n.person_id = $1 ORDER BY n.id
"""
EXPORT_EVENTS = """
SELECT id, kind, actor_id, clip_id, body, made_at FROM notify.event
WHERE person_id = $1 ORDER BY id
"""


async def add_event(
    tx: Tx,
    event_id: UUID,
    person_id: UUID | None,
    kind: EventKind,
    actor_id: UUID | None,
    clip_id: UUID | None,
    body: Mapping[str, Any],
) -> None:
    await tx.execute(
        ADD_EVENT, event_id, person_id, kind, actor_id, clip_id, msgspec.json.encode(body).decode()
    )


async def announce(tx: Tx, channel: str, payload: str) -> None:
    """Sends `payload` and the horizon of this moment when the transaction commits."""
    await tx.execute(ANNOUNCE, channel, payload)


async def event(tx: Tx, event_id: UUID, horizon: int) -> Event | None:
    row = await tx.fetchrow(EVENT, event_id)
    return _event(row, horizon) if row else None


async def events_since(tx: Tx, person_id: UUID, horizon: int, limit: int) -> list[Event]:
    """The newest events, in their order. A page that breaks off in the middle of them begins
    again at `horizon`; only the last carries the horizon of now."""
    rows = list(reversed(await tx.fetch(EVENTS_SINCE, person_id, horizon, limit)))
    last = len(rows) - 1
    return [
        _event(row, row["horizon"] if place == last else horizon) for place, row in enumerate(rows)
    ]


async def horizon(tx: Tx) -> int:
    return cast(int, await tx.fetchval(HORIZON))


async def add_notification(
    tx: Tx,
    notification_id: UUID,
    person_id: UUID,
    kind: NotificationKind,
    actor_id: UUID,
    clip_id: UUID | None,
) -> bool:
    """False when the person has been told the same before."""
    done = await tx.execute(ADD_NOTIFICATION, notification_id, person_id, kind, actor_id, clip_id)
    return done.endswith(" 1")


async def tell_reads(tx: Tx) -> None:
    """Lines about reads by staff, for everybody who has not been told yet."""
    await tx.execute(TELL_READS)


async def withdraw(
    tx: Tx, person_id: UUID, kind: NotificationKind, actor_id: UUID, clip_id: UUID | None
) -> None:
    await tx.execute(WITHDRAW, person_id, kind, actor_id, clip_id)


async def forget_clip(tx: Tx, person_id: UUID, clip_id: UUID) -> None:
    await tx.execute(FORGET_CLIP, person_id, clip_id)


async def page(tx: Tx, person_id: UUID, before: UUID | None, limit: int) -> list[Notification]:
    return [
        Notification(
            row["id"],
            row["kind"],
            _actor(row) if row["handle"] else None,
            row["clip_id"],
            row["made_at"],
            row["is_read"],
        )
        for row in await tx.fetch(PAGE, person_id, before or LAST_ID, limit)
    ]


async def hush(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    await tx.execute(HUSH, person_id, actor_id)


async def unhush(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    await tx.execute(UNHUSH, person_id, actor_id)


async def forget_actor(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    """Removes all that a person was told of another."""
    await tx.execute(FORGET_ACTOR, person_id, actor_id)
    await tx.execute(FORGET_EVENTS_OF, person_id, actor_id)


async def hushed_among(tx: Tx, event_id: UUID, people: list[UUID]) -> frozenset[UUID]:
    """Those of these people who are not told of an event."""
    rows = await tx.fetch(HUSHED_AMONG, event_id, people)
    return frozenset(row["person_id"] for row in rows)


async def mark_read(tx: Tx, person_id: UUID) -> None:
    await tx.execute(MARK_READ, person_id)


async def has_unread(tx: Tx, person_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_UNREAD, person_id))


async def tidy(tx: Tx, event_minutes: int, notification_days: int) -> None:
    await tx.execute(TIDY_EVENTS, event_minutes)
    await tx.execute(TIDY_NOTIFICATIONS, notification_days)


def export_notifications(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_NOTIFICATIONS, person_id))


async def export_events(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in listed(tx.cursor(EXPORT_EVENTS, person_id)):
        yield {**row, "body": msgspec.json.decode(row["body"])}


async def erase_notifications(tx: Tx, person_id: UUID, most: int) -> int:
    """Removes some lines to the person, or about something that the person did; gives how many."""
    return int((await tx.execute(ERASE_NOTIFICATIONS, person_id, most)).rpartition(" ")[2])


async def erase_events(tx: Tx, person_id: UUID, most: int) -> int:
    """The same for live events."""
    return int((await tx.execute(ERASE_EVENTS, person_id, most)).rpartition(" ")[2])


async def erase_hushed(tx: Tx, person_id: UUID, most: int) -> int:
    """The same for whom the person, or who the person, is told nothing of."""
    return int((await tx.execute(ERASE_HUSHED, person_id, most)).rpartition(" ")[2])


def _actor(row: Row) -> Actor:
    return Actor(row["handle"], row["display_name"], row["avatar_key"])


def _event(row: Row, horizon: int) -> Event:
    return Event(
        row["id"],
        row["person_id"],
        row["kind"],
        _actor(row) if row["handle"] else None,
        row["clip_id"],
        msgspec.json.decode(row["body"]),
        horizon,
    )
