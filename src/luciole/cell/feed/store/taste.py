"""SQL of what is kept of people who let the cell learn. All of it is sealed with their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from luciole.cell.feed.model import TastePart
from luciole.kit.db import Tx

ADD_LEARNER = "INSERT INTO feed.learner (session_id, person_id, sealed) VALUES ($1, $2, $3)"
LEARNER = "SELECT sealed FROM feed.learner WHERE session_id = $1 AND person_id = $2"
# Whoever writes for a person waits for the others who do.
NEXT_VERSION = """
UPDATE feed.profile SET version = version + 1
WHERE person_id = $1 AND mode = 'learning' RETURNING version
"""
VERSIONS = """
SELECT day, part, version, events FROM feed.taste_day WHERE person_id = $1 ORDER BY day, part
"""
# A version is given once to a person, so it names a part.
PARTS = """
SELECT day, part, version, events, sealed FROM feed.taste_day
WHERE person_id = $1 AND version = ANY($2::integer[]) ORDER BY day, part
"""
LAST_PART = """
SELECT day, part, version, events, sealed FROM feed.taste_day
WHERE person_id = $1 AND day = $2 ORDER BY part DESC LIMIT 1
"""
NEXT_PARTS = """
SELECT day, part, version, events, sealed FROM feed.taste_day
WHERE person_id = $1 ORDER BY day, part LIMIT $2 FOR UPDATE
"""
PUT = """
INSERT INTO feed.taste_day (person_id, day, part, version, events, sealed)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (person_id, day, part) DO UPDATE
    SET version = excluded.version, events = excluded.events, sealed = excluded.sealed
"""
DROP_PARTS = "DELETE FROM feed.taste_day WHERE person_id = $1 AND version = ANY($2::integer[])"
FORGOT = "SELECT forgot FROM feed.profile WHERE person_id = $1"
NOTE_FORGOT = "UPDATE feed.profile SET forgot = version WHERE person_id = $1"
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


async def versions(tx: Tx, person_id: UUID) -> dict[tuple[date, int], tuple[int, int]]:
    """The parts of days that are kept, in order, each with its version and how many events it
    has."""
    rows = await tx.fetch(VERSIONS, person_id)
    return {(row["day"], row["part"]): (row["version"], row["events"]) for row in rows}


async def parts(tx: Tx, person_id: UUID, wanted: Sequence[int]) -> list[TastePart]:
    """The parts of these versions, in order."""
    return [TastePart(*row) for row in await tx.fetch(PARTS, person_id, wanted)]


async def last_part(tx: Tx, person_id: UUID, day: date) -> TastePart | None:
    """The last part of a day."""
    row = await tx.fetchrow(LAST_PART, person_id, day)
    return TastePart(*row) if row else None


async def next_parts(tx: Tx, person_id: UUID, most: int) -> list[TastePart]:
    """The oldest parts, locked."""
    return [TastePart(*row) for row in await tx.fetch(NEXT_PARTS, person_id, most)]


async def put(tx: Tx, person_id: UUID, one: TastePart) -> None:
    await tx.execute(PUT, person_id, one.day, one.part, one.version, one.events, one.sealed)


async def drop_parts(tx: Tx, person_id: UUID, versions: Sequence[int]) -> None:
    await tx.execute(DROP_PARTS, person_id, versions)


async def forgot(tx: Tx, person_id: UUID) -> int:
    """The version at which all was forgotten last."""
    return int(await tx.fetchval(FORGOT, person_id) or 0)


async def forget(tx: Tx, person_id: UUID) -> None:
    """Drops all that is kept of a person, and the sessions in which the cell learnt."""
    await tx.execute(NOTE_FORGOT, person_id)
    await tx.execute(FORGET_DAYS, person_id)
    await tx.execute(FORGET_SESSIONS, person_id)


async def drop_old(tx: Tx, before_day: date) -> int:
    return int((await tx.execute(DROP_OLD, before_day)).rpartition(" ")[2])
