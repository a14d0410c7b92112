"""Live events, in the order of their commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import msgspec

from luciole.cell.notify.model import Actor, Event, EventKind
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

# Nobody of another cell has an open page here. Announced with the horizon of now: all that ended
# before it was announced before this.
ADD_EVENTS = """
WITH given AS (
    SELECT id, kind, body, place
    FROM unnest((SELECT $1::uuid[]), (SELECT $2::text[]), (SELECT $3::text[]))
        WITH ORDINALITY AS g (id, kind, body, place)
), added AS (
    INSERT INTO notify.event (id, person_id, kind, actor_id, clip_id, body)
    SELECT id, $4, kind, $5, $6, body::jsonb FROM given
    WHERE NOT EXISTS (SELECT 1 FROM people.card p WHERE p.id = $4 AND p.home IS NOT NULL)
)
SELECT pg_notify($7, id::text || ' ' || coalesce($4::uuid::text, '*') || ' '
                     || pg_snapshot_xmin(pg_current_snapshot())::text)
FROM given ORDER BY place
"""
EVENT = """
WITH added AS (
    INSERT INTO notify.event (id, person_id, kind, actor_id, clip_id, body)
    SELECT $1, $2, $3, $4, $5, $6
    WHERE NOT EXISTS (SELECT 1 FROM people.card p WHERE p.id = $2 AND p.home IS NOT NULL)
)
SELECT pg_notify($7, $1::uuid::text || ' ' || coalesce($2::uuid::text, '*') || ' '
                     || pg_snapshot_xmin(pg_current_snapshot())::text)
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
FORGET_EVENTS_OF = "DELETE FROM notify.event WHERE person_id = $1 AND actor_id = $2"
TIDY_EVENTS = "DELETE FROM notify.event WHERE made_at < now() - make_interval(mins => $1)"
# Erasure: to the person or by them. Each step takes some of what is left, without those that
# another who leaves is taking just now; should that one fail, they go with the account.
ERASE_EVENTS = """
DELETE FROM notify.event WHERE id IN (
    SELECT id FROM notify.event WHERE person_id = $1 OR actor_id = $1
    LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
EXPORT_EVENTS = """
SELECT id, kind, actor_id, clip_id, body, made_at FROM notify.event
WHERE person_id = $1 ORDER BY id
"""


async def add_events(
    tx: Tx,
    person_id: UUID | None,
    actor_id: UUID | None,
    clip_id: UUID | None,
    given: Sequence[tuple[UUID, EventKind, Mapping[str, Any]]],
    channel: str,
) -> None:
    """Notes events (id, kind, body) in this order, and sends the id of each, for whom it is (`*`:
    everybody) and the horizon of this moment over the channel when the transaction commits."""
    ids = [event_id for event_id, _, _ in given]
    kinds = [kind for _, kind, _ in given]
    bodies = [msgspec.json.encode(body).decode() for _, _, body in given]
    await tx.execute(ADD_EVENTS, ids, kinds, bodies, person_id, actor_id, clip_id, channel)


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


async def hushed_among(tx: Tx, event_id: UUID, people: list[UUID]) -> frozenset[UUID]:
    """Those of these people who are not told of an event."""
    rows = await tx.fetch(HUSHED_AMONG, event_id, people)
    return frozenset(row["person_id"] for row in rows)


async def forget_actor(tx: Tx, person_id: UUID, actor_id: UUID) -> None:
    """Removes what the open page of a person would still be told of another."""
    await tx.execute(FORGET_EVENTS_OF, person_id, actor_id)


async def tidy(tx: Tx, event_minutes: int) -> None:
    await tx.execute(TIDY_EVENTS, event_minutes)


async def export_events(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in listed(tx.cursor(EXPORT_EVENTS, person_id)):
        yield {**row, "body": msgspec.json.decode(row["body"])}


async def erase_events(tx: Tx, person_id: UUID, most: int) -> int:
    """Removes some events to the person, or about something that the person did."""
    return int((await tx.execute(ERASE_EVENTS, person_id, most)).rpartition(" ")[2])


def _event(row: Row, horizon: int) -> Event:
    return Event(
        row["id"],
        row["person_id"],
        row["kind"],
        Actor(row["handle"], row["display_name"], row["avatar_key"]) if row["handle"] else None,
        row["clip_id"],
        msgspec.json.decode(row["body"]),
        horizon,
    )
