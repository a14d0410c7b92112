"""SQL of what a person takes along of For You, and of its erasure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

EXPORT_PROFILE = "SELECT mode, since, version, forgot FROM feed.profile WHERE person_id = $1"
EXPORT_HIDDEN = """
SELECT kind, value, hidden_on FROM feed.hidden WHERE person_id = $1 ORDER BY kind, value
"""
EXPORT_TASTE = """
SELECT day, part, version, events, sealed FROM feed.taste_day
WHERE person_id = $1 ORDER BY day, part
"""
EXPORT_ALLOWANCE = "SELECT day, sessions FROM feed.allowance WHERE person_id = $1 ORDER BY day"
# Sessions with their pages first: they refer to the person only through `learner`.
ERASE_SESSIONS = """
DELETE FROM feed.session s USING feed.learner l WHERE l.session_id = s.id AND l.person_id = $1
"""
ERASE_HIDDEN_AUTHOR = "DELETE FROM feed.hidden WHERE kind = 'author' AND value = $1::uuid::text"
ERASE_HIDDEN = "DELETE FROM feed.hidden WHERE person_id = $1"
ERASE_TASTE = "DELETE FROM feed.taste_day WHERE person_id = $1"
ERASE_ALLOWANCE = "DELETE FROM feed.allowance WHERE person_id = $1"
ERASE_PROFILE = "DELETE FROM feed.profile WHERE person_id = $1"


def export_profile(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_PROFILE, person_id))


def export_hidden(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_HIDDEN, person_id))


def export_taste(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_TASTE, person_id))


def export_allowance(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_ALLOWANCE, person_id))


async def erase(tx: Tx, person_id: UUID) -> dict[str, int]:
    """Removes all rows of a person; gives how many of what."""
    return {
        "feed sessions": _count(await tx.execute(ERASE_SESSIONS, person_id)),
        "hidden things": _count(await tx.execute(ERASE_HIDDEN, person_id))
        + _count(await tx.execute(ERASE_HIDDEN_AUTHOR, person_id)),
        "days of taste": _count(await tx.execute(ERASE_TASTE, person_id)),
        "feed settings": _count(await tx.execute(ERASE_ALLOWANCE, person_id))
        + _count(await tx.execute(ERASE_PROFILE, person_id)),
    }


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])
