"""SQL of what is kept of people who let the cell learn. All of it is sealed with their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from luciole.cell.feed.model import TasteDay
from luciole.kit.db import Tx

ADD_LEARNER = "INSERT INTO feed.learner (session_id, person_id, sealed) VALUES ($1, $2, $3)"
LEARNER = "SELECT sealed FROM feed.learner WHERE session_id = $1 AND person_id = $2"
# Whoever writes for a person waits for the others who do.
NEXT_VERSION = """
UPDATE feed.profile SET version = version + 1
WHERE person_id = $1 AND mode = 'learning' RETURNING version
"""
VERSIONS = "SELECT day, version, events FROM feed.taste_day WHERE person_id = $1 ORDER BY day"
DAYS = """
SELECT day, version, events, sealed FROM feed.taste_day
WHERE person_id = $1 AND day = ANY($2::date[]) ORDER BY day
"""
NEXT_DAYS = """
SELECT day, version, events, sealed FROM feed.taste_day
WHERE person_id = $1 ORDER BY day LIMIT $2 FOR UPDATE
"""
PUT = """
INSERT INTO feed.taste_day (person_id, day, version, events, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, day) DO UPDATE
    SET version = excluded.version, events = excluded.events, sealed = excluded.sealed
"""
DROP_DAYS = "DELETE FROM feed.taste_day WHERE person_id = $1 AND day = ANY($2::date[])"
FORGET_DAYS = "DELETE FROM feed.taste_day WHERE person_id = $1"
FORGET_SESSIONS = """
DELETE FROM feed.session s USING feed.learner l WHERE l.session_id = s.id AND l.person_id = $1
"""
DROP_OLD = "DELETE FROM feed.taste_day WHERE day < $1"


async def add_learner(tx: Tx, session_id: UUID, person_id: UUID, sealed: bytes) -> None:
    await tx.execute(ADD_LEARNER, session_id, person_id, sealed)


async def learner(tx: Tx, session_id: UUID, person_id: UUID) -> bytes | None:
    """What is sealed of a session of this person."""
    sealed: bytes | None = await tx.fetchval(LEARNER, session_id, person_id)
    return sealed


async def next_version(tx: Tx, person_id: UUID) -> int | None:
    """The version of the next seal; None where the person does not let the cell learn."""
    version: int | None = await tx.fetchval(NEXT_VERSION, person_id)
    return version


async def versions(tx: Tx, person_id: UUID) -> dict[date, tuple[int, int]]:
    """The days that are kept, each with its version and how many events it has."""
    rows = await tx.fetch(VERSIONS, person_id)
    return {row["day"]: (row["version"], row["events"]) for row in rows}


async def days(tx: Tx, person_id: UUID, wanted: Sequence[date]) -> list[TasteDay]:
    return [TasteDay(*row) for row in await tx.fetch(DAYS, person_id, wanted)]


async def next_days(tx: Tx, person_id: UUID, most: int) -> list[TasteDay]:
    """The oldest days, locked."""
    return [TasteDay(*row) for row in await tx.fetch(NEXT_DAYS, person_id, most)]


async def put(tx: Tx, person_id: UUID, one: TasteDay) -> None:
    await tx.execute(PUT, person_id, one.day, one.version, one.events, one.sealed)


async def drop_days(tx: Tx, person_id: UUID, days: Sequence[date]) -> None:
    await tx.execute(DROP_DAYS, person_id, days)


async def forget(tx: Tx, person_id: UUID) -> None:
    """Drops all that is kept of a person, and the sessions in which the cell learnt."""
    await tx.execute(FORGET_DAYS, person_id)
    await tx.execute(FORGET_SESSIONS, person_id)


async def drop_old(tx: Tx, before_day: date) -> int:
    return int((await tx.execute(DROP_OLD, before_day)).rpartition(" ")[2])
