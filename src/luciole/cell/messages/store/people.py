"""SQL of what people chose, and of how two of them stand to each other."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from luciole.cell.messages.model import Between, Kind, Settings
from luciole.kit.db import Tx

BETWEEN = """
SELECT
    EXISTS (SELECT 1 FROM graph.apart WHERE a = $1 AND b = $2) AS is_apart,
    EXISTS (SELECT 1 FROM graph.friends WHERE a = $1 AND b = $2) AS is_friend,
    EXISTS (SELECT 1 FROM graph.accepted WHERE follower_id = $2 AND followee_id = $1)
        AS follows_me,
    EXISTS (SELECT 1 FROM graph.restricted WHERE person_id = $2 AND other_id = $1)
        AS restricts_me,
    w.is_minor, w.is_too_young,
    coalesce(s.who, CASE WHEN w.is_minor THEN 'friends' ELSE 'everyone' END) AS who
FROM people.writer w LEFT JOIN messages.setting s ON s.person_id = w.id
WHERE w.id = $2
"""
SHARES = """
SELECT EXISTS (
    SELECT 1 FROM messages.member mine
    JOIN messages.member theirs ON theirs.conversation_id = mine.conversation_id
    JOIN messages.conversation c ON c.id = mine.conversation_id
    WHERE mine.person_id = $1 AND theirs.person_id = $2 AND mine.folder <> 'declined'
      AND c.kind = ANY($3::text[]))
"""
RESTRICTERS = """
SELECT person_id FROM graph.restricted WHERE other_id = $1 AND person_id = ANY($2::uuid[])
"""
# Who takes marks: of those, whoever gives some.
TAKES_MARKS = """
SELECT s.person_id FROM messages.setting s
WHERE s.person_id = ANY($1::uuid[]) AND (s.typing OR s.read_marks)
"""
SETTINGS = "SELECT who, typing, read_marks FROM messages.setting WHERE person_id = $1"
SET_SETTINGS = """
INSERT INTO messages.setting (person_id, who, typing, read_marks) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE
SET who = excluded.who, typing = excluded.typing, read_marks = excluded.read_marks
"""


async def between(tx: Tx, me: UUID, other: UUID) -> Between | None:
    """None where the other one is not there, or leaving."""
    row = await tx.fetchrow(BETWEEN, me, other)
    return Between(**row) if row else None


async def shares(tx: Tx, me: UUID, other: UUID, kinds: Sequence[Kind]) -> bool:
    """Whether two people are in a conversation of one of these kinds."""
    return bool(await tx.fetchval(SHARES, me, other, list(kinds)))


async def restricters(tx: Tx, person_id: UUID, among: Sequence[UUID]) -> set[UUID]:
    """Those of some people who restrict a person."""
    rows = await tx.fetch(RESTRICTERS, person_id, list(among))
    return {row["person_id"] for row in rows}


async def takes_marks(tx: Tx, people: Sequence[UUID]) -> set[UUID]:
    """Those of some people who give typing or read marks, and so get them."""
    return {row["person_id"] for row in await tx.fetch(TAKES_MARKS, list(people))}


async def settings(tx: Tx, person_id: UUID) -> Settings | None:
    """None where the person has chosen nothing."""
    row = await tx.fetchrow(SETTINGS, person_id)
    return Settings(**row) if row else None


async def set_settings(tx: Tx, person_id: UUID, settings: Settings) -> None:
    await tx.execute(SET_SETTINGS, person_id, settings.who, settings.typing, settings.read_marks)
