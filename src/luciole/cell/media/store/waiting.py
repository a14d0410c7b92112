"""SQL of the order in which films are made, and of how long that takes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.media.turns import Work
from luciole.kit.db import Row, Tx


class Late(msgspec.Struct, frozen=True):
    """A film that waits for something to be mended, or has been on its way for long."""

    id: UUID
    state: str
    waits_for: str | None
    age_s: int


NOW = """
SELECT coalesce(
    (SELECT turn FROM media.asset WHERE state = 'queued' ORDER BY turn LIMIT 1),
    (SELECT turn FROM media.asset ORDER BY turn DESC LIMIT 1),
    0)
"""
AUTHORS_LAST = """
SELECT turn FROM media.asset WHERE owner_id = $1 ORDER BY turn DESC LIMIT 1
"""
TURN = "SELECT turn FROM media.asset WHERE id = $1"
WORK = """
SELECT id, state, progress, started_at, turn, waits_for FROM media.asset
WHERE id = $1 AND state IN ('queued', 'probing', 'encoding')
"""
AHEAD = """
SELECT id FROM media.asset WHERE state = 'queued' AND (turn, id) < ($1, $2::uuid)
ORDER BY turn, id LIMIT $3
"""
AT_WORK = """
SELECT state, progress, started_at, turn, waits_for FROM media.asset
WHERE state IN ('probing', 'encoding') AND changed_at > $1
ORDER BY changed_at DESC LIMIT $2
"""
LATE = """
SELECT id, state, waits_for, extract(epoch FROM $2::timestamptz - created_at)::bigint AS age_s
FROM media.asset
WHERE state IN ('queued', 'probing', 'encoding', 'playable')
  AND (waits_for IS NOT NULL OR (created_at < $1 AND state <> 'playable'))
ORDER BY changed_at LIMIT $3
"""
PACE = "SELECT first_ms FROM media.pace"
SET_PACE = """
INSERT INTO media.pace (first_ms) VALUES ($1)
ON CONFLICT (is_only) DO UPDATE SET first_ms = $1
"""
HOLD = """
UPDATE media.asset SET waits_for = $3, changed_at = $4
WHERE id = $1 AND attempt = $2 AND state IN ('queued', 'probing', 'encoding', 'playable')
RETURNING id
"""


async def now(tx: Tx) -> int:
    """The turn that is on: the lowest that waits, or else the last that was given."""
    found: int = await tx.fetchval(NOW)
    return found


async def authors_last(tx: Tx, owner_id: UUID) -> int | None:
    """The highest turn of the author's films."""
    found: int | None = await tx.fetchval(AUTHORS_LAST, owner_id)
    return found


async def turn(tx: Tx, asset_id: UUID) -> int:
    """The film's turn; 0 where there is none any more."""
    found: int | None = await tx.fetchval(TURN, asset_id)
    return found or 0


async def work(tx: Tx, asset_id: UUID) -> Work | None:
    """A film that cannot be played yet."""
    row = await tx.fetchrow(WORK, asset_id)
    return _work(row) if row else None


async def ahead(tx: Tx, turn: int, asset_id: UUID, most: int) -> int:
    """How many films wait before this one, `most` at most."""
    return len(await tx.fetch(AHEAD, turn, asset_id, most))


async def at_work(tx: Tx, since: datetime, most: int) -> list[Work]:
    """The films that are being made, and of which something was heard since then."""
    return [_work(row) for row in await tx.fetch(AT_WORK, since, most)]


async def late(tx: Tx, before: datetime, now: datetime, most: int) -> list[Late]:
    """Films that wait for something to be mended, and those that were begun before and cannot be
    played yet."""
    rows = await tx.fetch(LATE, before, now, most)
    return [Late(row["id"], row["state"], row["waits_for"], row["age_s"]) for row in rows]


async def pace(tx: Tx) -> int | None:
    """How many milliseconds a film takes at present; None before the first."""
    found: int | None = await tx.fetchval(PACE)
    return found


async def set_pace(tx: Tx, first_ms: int) -> None:
    await tx.execute(SET_PACE, first_ms)


async def hold(tx: Tx, asset_id: UUID, attempt: int, waits_for: str | None, now: datetime) -> bool:
    """Notes what the film waits for. Whether the attempt is still the current one."""
    return await tx.fetchval(HOLD, asset_id, attempt, waits_for, now) is not None


def _work(row: Row) -> Work:
    return Work(row["state"], row["progress"], row["started_at"], row["turn"], row["waits_for"])
